import { expect, test } from "vitest";
import { wordsFor } from "./ticks";

const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, " ");

test("ticks are short: thousands by letter, tiny values by exponent", () => {
  const { tick } = wordsFor("en");
  expect([0, 0.25, 1500, 120_000, 2.5e6, 1e-7].map(tick)).toEqual([
    "0",
    "0.25",
    "1,500",
    "120k",
    "2.5M",
    "1e-7",
  ]);
});

test("values in Russian have a decimal comma", () => {
  expect(plain(wordsFor("ru").value(0.123456789))).toBe("0,123457");
});

test("what is not finite is said as such", () => {
  const { value } = wordsFor("en");
  expect([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map(value)).toEqual([
    "NaN",
    "+∞",
    "−∞",
  ]);
});

test("the day stands under the first clock time of it only", () => {
  const noon = Date.parse("2026-11-22T12:00:00Z") / 1000;
  const ticks = wordsFor("en").xTicks("time", [noon, noon + 600, noon + 1200], 600);
  expect(ticks.map((tick) => tick.split("\n").length)).toEqual([2, 1, 1]);
});

test("elapsed time grows from seconds to hours", () => {
  expect(wordsFor("en").xTicks("relative", [5, 90, 3725], 1)).toEqual(["5 s", "1:30", "1:02:05"]);
});
