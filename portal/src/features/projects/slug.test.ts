import { expect, test } from "vitest";
import { slugFrom } from "./slug";

test.for([
  ["Motor bench", "motor-bench"],
  ["  Печь отжига №2 ", "pech-otzhiga-no2"],
  ["Müller — Große Anlage", "muller-grosse-anlage"],
  ["***", ""],
  ["x".repeat(80), "x".repeat(60)],
])("%s becomes %s", ([name = "", slug]) => {
  expect(slugFrom(name)).toBe(slug);
});
