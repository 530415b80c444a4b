import { expect, test } from "vitest";
import { measured, Ruler } from "./ruler";

const x = [0, 1, 2, 3, 4, 10];
const y = [5, 1, 3, Number.NaN, 7, 9];

test("between two places stand the extremes and the mean of the points, at them the nearest values", () => {
  expect(measured({ x, y }, [0.9, 4])).toEqual({
    at: [1, 7],
    min: 1,
    max: 7,
    mean: 11 / 3,
    count: 3,
  });
  expect(measured({ x, y }, [4, 1])?.at).toEqual([7, 1]);
});

test("in a gap, outside of the line, and where it has no points, there is no value", () => {
  const line = { x, y, gaps: [[4, 10]] as const };
  expect(measured(line, [2, 6])?.at).toEqual([3, null]);
  expect(measured(line, [-5, 2])?.at).toEqual([null, 3]);
  expect(measured(line, [5, 9])).toBeNull();
});

test("of a picture of extremes the mean goes by the time between them, not by their number", () => {
  const coarse = { x: [0, 9, 10], y: [0, 0, 10], coarse: true };
  expect(measured(coarse, [0, 10])?.mean).toBeCloseTo(0.5);
});

test("an end is put where somebody points, and begins inside of what is in view", () => {
  const ruler = new Ruler();
  ruler.put("a", 1, [0, 9]);
  expect(ruler.get()).toEqual([1, 6]);
  ruler.put("b", 4, [0, 9]);
  expect(ruler.get()).toEqual([1, 4]);
});
