import { expect, test } from "vitest";
import { gapAt, gapsOf, lateIn, medianDistance, widestOf } from "./gaps";

const plain = { rate: null, count: 6, exact: true, width: 100, points: 2000 };

test("what is missing longer than three periods is a gap; the period is the median or what was promised", () => {
  const x = [0, 1, 2, 3, 6.5, 7.5, 10];
  const curve = { x, y: x };
  expect(medianDistance(x)).toBe(1);
  expect(gapsOf(curve, () => widestOf(x, plain))).toEqual([[3, 6.5]]);
  expect(gapsOf(curve, () => widestOf(x, { ...plain, rate: 0.5 }))).toEqual([]);
  expect(gapsOf(curve, () => widestOf(x, { ...plain, rate: 2 }))).toEqual([
    [3, 6.5],
    [7.5, 10],
  ]);
});

test("readings at exactly the promised distance have no gap between them", () => {
  const x = [0, 0.1, 0.4, 0.7];
  expect(gapsOf({ x, y: x }, () => widestOf(x, { ...plain, rate: 10 }))).toEqual([]);
});

test("a thinned picture has gaps only where it would show a point", () => {
  const x = [0, 0.4, 1, 1.9, 3];
  const thinned = { rate: 100, count: 300, exact: false, width: 100, points: 1000 };
  expect(widestOf(x, thinned)).toBeCloseTo(1);
  expect(gapsOf({ x, y: x }, () => widestOf(x, thinned))).toEqual([[1.9, 3]]);
});

test("NaN is a gap from the value before to the value after; what was only not converted is none", () => {
  const y = [1, Number.NaN, Number.NaN, 4, Number.NaN, 6, Number.NaN];
  const x = [0, 1, 2, 3, 4, 5, 6];
  expect(gapsOf({ x, y }, () => 9)).toEqual([
    [0, 3],
    [3, 5],
    [5, 6],
  ]);
  expect(gapsOf({ x, y }, () => 9, new Map([[4, "out_of_table"]]))).toEqual([
    [0, 3],
    [5, 6],
  ]);
});

test("a place is in a gap when it lies between its ends", () => {
  const gaps = [
    [1, 2],
    [5, 9],
  ] as const;
  expect([0, 1, 1.5, 2, 3, 5, 7, 9].map((place) => gapAt(gaps, place)?.[0] ?? null)).toEqual([
    null,
    null,
    1,
    null,
    null,
    null,
    5,
    null,
  ]);
});

test("late points are counted in what is in view", () => {
  const late = {
    count: 5,
    stretches: [
      [1, 2, 2],
      [8, 8, 3],
    ] as const,
    places: new Set<number>(),
  };
  expect([lateIn(late, null), lateIn(late, [0, 3]), lateIn(late, [3, 7])]).toEqual([5, 2, 0]);
});
