import { DEFAULT_THEME, mergeMantineTheme } from "@mantine/core";
import { expect, test } from "vitest";
import { contrast } from "@/testing/contrast";
import { cssVariablesResolver, theme } from "@/ui/theme";

const resolved = cssVariablesResolver(mergeMantineTheme(DEFAULT_THEME, theme));

const texts = [
  "--rb-accent",
  "--rb-running",
  "--rb-succeeded",
  "--rb-failed",
  "--rb-interrupted",
  "--rb-quiet",
  "--mantine-color-text",
  "--mantine-color-dimmed",
  "--mantine-color-placeholder",
  "--mantine-color-anchor",
  "--mantine-color-error",
];

test.for(["light", "dark"] as const)(
  "text in the %s theme has 4.5:1 on every background",
  (scheme) => {
    const colors: Record<string, string> = resolved[scheme];
    for (const text of texts) {
      for (const background of ["--rb-page", "--rb-surface", "--rb-sunken"]) {
        const ratio = contrast(colors[text] ?? "", colors[background] ?? "");
        expect(ratio, `${text} on ${background}`).toBeGreaterThanOrEqual(4.5);
      }
    }
  },
);

test.for(["light", "dark"] as const)("the edge of a control in the %s theme has 3:1", (scheme) => {
  const colors: Record<string, string> = resolved[scheme];
  const ratio = contrast(colors["--rb-control-line"] ?? "", colors["--rb-surface"] ?? "");
  expect(ratio).toBeGreaterThanOrEqual(3);
});
