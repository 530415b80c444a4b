import { Typography } from "@mantine/core";
import DOMPurify from "dompurify";
import { marked } from "marked";
import { useLayoutEffect, useRef } from "react";

const purifier = DOMPurify(window);

// Links leave the page without handing over a window or an address. Pictures from elsewhere would tell
// their server who reads the note, so they become links.
purifier.addHook("afterSanitizeAttributes", (node) => {
  if (node instanceof HTMLAnchorElement && node.origin !== window.location.origin) {
    node.target = "_blank";
    node.rel = "noopener noreferrer nofollow";
  }
  // A task list's boxes only show; the words beside them are their name.
  if (node instanceof HTMLInputElement) {
    node.setAttribute("aria-label", node.parentElement?.textContent?.trim() ?? "");
  }
  if (node instanceof HTMLImageElement) {
    const link = document.createElement("a");
    link.href = node.src;
    link.textContent = node.alt || node.src;
    link.target = "_blank";
    link.rel = "noopener noreferrer nofollow";
    node.replaceWith(link);
  }
});

/** The sanitised nodes of a Markdown text; exported for tests of what is let through. */
export function sanitised(text: string): DocumentFragment {
  const html = marked.parse(text, {
    async: false,
    gfm: true,
    breaks: true,
    // The page has its h1 and the panel its h2; what people write begins below them.
    walkTokens: (token) => {
      if (token.type === "heading") token.depth = Math.min(6, token.depth + 2);
    },
  });
  return purifier.sanitize(html, {
    USE_PROFILES: { html: true },
    FORBID_TAGS: ["style", "form", "button", "textarea", "select", "video", "audio", "picture"],
    FORBID_ATTR: ["style", "class", "id", "name", "srcset"],
    RETURN_DOM_FRAGMENT: true,
  });
}

export default function MarkdownRendered({ text }: { text: string }) {
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    place.current?.replaceChildren(sanitised(text));
  }, [text]);
  return <Typography ref={place} fz="md" className="rb-markdown" />;
}
