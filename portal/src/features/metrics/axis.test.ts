import { expect, test } from "vitest";
import { panned, positions, stepsWithin, zoomed } from "./axis";

const points = { step: [0, 10, 20, 30], value: [1, 2, 3, 4], time: [5e6, 6e6, 8e6, 9e6] };

test("relative time counts from the run's beginning in seconds", () => {
  expect(positions(points, "relative", 5e6).x).toEqual([0, 1, 3, 4]);
});

test("points of one moment keep their order and a place of their own", () => {
  const { x, y } = positions({ step: [0, 1, 2], value: [7, 8, 9], time: [2, 2, 1] }, "relative", 0);
  expect(y).toEqual([9, 7, 8]);
  expect(new Set(x).size).toBe(3);
  expect(x).toEqual(x.toSorted((a, b) => a - b));
});

test("a range of time is asked for in steps, one point further on each side", () => {
  expect(stepsWithin(points, "relative", 5e6, [0.5, 1.5])).toEqual([0, 20]);
  expect(stepsWithin(points, "relative", 5e6, [100, 200])).toBeNull();
});

test("zooming out far enough shows everything again", () => {
  expect(zoomed([10, 20], [0, 30], 10)).toBeNull();
  expect(zoomed([0, 30], [0, 30], 0.5)).toEqual([7.5, 22.5]);
});

test("moving stops at the ends and keeps the width", () => {
  expect(panned([5, 15], [0, 30], 5)).toEqual([20, 30]);
  expect(panned([5, 15], [0, 30], -5)).toEqual([0, 10]);
});
