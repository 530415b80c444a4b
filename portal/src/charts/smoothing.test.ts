import { expect, test } from "vitest";
import { smoothed } from "./smoothing";

const steps = (count: number) => Array.from({ length: count }, (_, index) => index);

test("a constant stays what it is, from the first point on", () => {
  for (const value of smoothed(steps(5), [3, 3, 3, 3, 3], 0.9)) expect(value).toBeCloseTo(3);
});

test("nothing is smoothed at 0", () => {
  expect(smoothed(steps(3), [1, 9, 1], 0)).toEqual([1, 9, 1]);
});

test("evenly spaced points get the debiased moving average", () => {
  const [first, second, third] = smoothed(steps(3), [0, 1, 0], 0.5);
  expect(first).toBe(0);
  expect(second).toBeCloseTo(1 / 1.5);
  expect(third).toBeCloseTo(0.5 / 1.75);
});

test("a long pause forgets the past", () => {
  const after = smoothed([0, 1, 2, 100], [0, 0, 0, 10], 0.9).at(-1);
  const without = smoothed([0, 1, 2, 3], [0, 0, 0, 10], 0.9).at(-1);
  expect(after).toBeGreaterThan(without ?? Number.NaN);
});

test("the average goes on after a gap and leaves the gap itself alone", () => {
  const result = smoothed(steps(4), [1, Number.NaN, Number.POSITIVE_INFINITY, 1], 0.6);
  expect(result).toEqual([1, Number.NaN, Number.POSITIVE_INFINITY, 1]);
});

test("a series looks equally smooth drawn from many points or few", () => {
  const at = (count: number) => {
    const x = steps(count).map((index) => index / (count - 1));
    return (
      smoothed(
        x,
        x.map((place) => (place < 0.5 ? 0 : 1)),
        0.97,
      )[Math.floor(count * 0.55)] ?? 0
    );
  };
  expect(at(3000)).toBeCloseTo(at(30_000), 1);
});
