import { expect, test } from "vitest";
import { extent, nearestIndex, panned, positions, rangeParams, zoomed } from "./axis";

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

test("a part is asked for in whole steps, and in microseconds of time", () => {
  expect(rangeParams("step", [1.5, 9.2])).toEqual({ from_step: 1, to_step: 10 });
  expect(rangeParams("relative", [0.5, 1.5])).toEqual({
    from_relative: 500_000,
    to_relative: 1_500_000,
  });
  expect(rangeParams("time", null)).toEqual({});
});

test("on a logarithmic axis half the view is half its decades, and nothing lies at zero", () => {
  expect(extent([{ x: [0, 1, 10_000], y: [1, 2, 3] }], true)).toEqual([1, 10_000]);
  const [from, to] = zoomed([1, 10_000], [1, 10_000], 0.5, 100, true) ?? [0, 0];
  expect(from).toBeCloseTo(10);
  expect(to).toBeCloseTo(1000);
  const moved = panned([10, 1000], [1, 10_000], 0.5, true);
  expect(moved[0]).toBeCloseTo(100);
});

test("the nearest point is found on either side, and at both ends", () => {
  const x = [0, 10, 20];
  expect([-5, 4, 6, 19, 99].map((place) => nearestIndex(x, place))).toEqual([0, 0, 1, 2, 2]);
  expect(nearestIndex([], 3)).toBe(-1);
});

test("zooming out far enough shows everything again", () => {
  expect(zoomed([10, 20], [0, 30], 10)).toBeNull();
  expect(zoomed([0, 30], [0, 30], 0.5)).toEqual([7.5, 22.5]);
});

test("moving stops at the ends and keeps the width", () => {
  expect(panned([5, 15], [0, 30], 5)).toEqual([20, 30]);
  expect(panned([5, 15], [0, 30], -5)).toEqual([0, 10]);
});
