import { expect, test } from "vitest";
import { sanitised } from "@/ui/MarkdownRendered";

function html(text: string): string {
  const box = document.createElement("div");
  box.append(sanitised(text));
  return box.innerHTML;
}

test("ordinary Markdown becomes ordinary HTML, its headings below those of the page", () => {
  expect(html("# Rig\n\n- **50** Hz\n\n| a | b |\n|---|---|\n| 1 | 2 |")).toMatch(
    /<h3>Rig<\/h3>[\s\S]*<li><strong>50<\/strong> Hz<\/li>[\s\S]*<td>1<\/td>/,
  );
});

test.for([
  "<script>alert(1)</script>",
  '<img src=x onerror="alert(1)">',
  "[x](javascript:alert(1))",
  "[x](data:text/html,<script>alert(1)</script>)",
  '<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>',
  '<a href="#" onclick="alert(1)">x</a>',
  '<form action="https://evil.example"><button>Sign in</button></form>',
  '<div style="position:fixed;inset:0">x</div>',
  "<iframe src=https://evil.example></iframe>",
  "<math><mtext><img src=x onerror=alert(1)></mtext></math>",
])("%s does nothing", (text) => {
  const result = html(text);
  expect(result).not.toMatch(/<(script|img|form|button|iframe|svg|style)/i);
  expect(result).not.toMatch(/javascript:|onerror|onclick|data:text|style=/i);
});

test("a picture from elsewhere becomes a link, so that its server learns nothing", () => {
  const result = html("![plot](https://elsewhere.example/p.png)");
  expect(result).not.toContain("<img");
  expect(result).toContain('href="https://elsewhere.example/p.png"');
  expect(result).toContain('rel="noopener noreferrer nofollow"');
});
