import { expect, test } from "vitest";
import { contrast } from "@/testing/contrast";
import { type Scheme, seriesColors, seriesStyle } from "@/ui/palette";

const surfaces: Record<Scheme, string> = { light: "#ffffff", dark: "#161d23" };

test.for(Object.entries(seriesColors))(
  "every %s series has 3:1 against its surface",
  ([scheme, colors]) => {
    for (const color of colors) {
      expect(contrast(color, surfaces[scheme as Scheme]), color).toBeGreaterThanOrEqual(3);
    }
  },
);

test("no two of the first 32 series look alike", () => {
  const looks = Array.from({ length: 32 }, (_, index) => {
    const { color, dash } = seriesStyle(index, "light");
    return `${color} ${dash.join(",")}`;
  });
  expect(new Set(looks).size).toBe(32);
});
