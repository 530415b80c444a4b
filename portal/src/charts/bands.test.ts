import { expect, test } from "vitest";
import { type Bucketed, banded, envelope, spliced } from "./bands";

const run = (...means: number[]): Bucketed => {
  const there = means.flatMap((mean, index) => (Number.isNaN(mean) ? [] : [{ mean, index }]));
  return {
    x: there.map(({ index }) => index * 10),
    count: there.map(() => 5),
    min: there.map(({ mean }) => mean - 1),
    max: there.map(({ mean }) => mean + 1),
    mean: there.map(({ mean }) => mean),
  };
};

test("each run weighs the same in the mean, and the band says how far they lie apart", () => {
  const { x, y, band, points } = banded([run(1, 4), run(3, 8)], "std");
  expect(x).toEqual([0, 10]);
  expect(y).toEqual([2, 6]);
  expect(band?.low[0]).toBeCloseTo(2 - Math.SQRT2);
  expect(band?.high[1]).toBeCloseTo(6 + Math.sqrt(8));
  expect(points).toBe(20);
});

test("the other band reaches from the lowest to the highest value of any run", () => {
  expect(banded([run(1), run(3)], "range").band).toEqual({ low: [0], high: [4] });
  expect(banded([run(1), run(3)], "none").band).toBeUndefined();
});

test("runs of different length count where they are, and stretches without any are joined", () => {
  const { x, y } = banded(
    [run(1, Number.NaN, 5), run(3, Number.NaN, Number.NaN), run(Number.NaN, Number.NaN, 7)],
    "std",
  );
  expect(x).toEqual([0, 20]);
  expect(y).toEqual([2, 6]);
});

test("one run alone has a band without width", () => {
  expect(banded([run(7)], "std").band).toEqual({ low: [7], high: [7] });
});

test("a zoomed group is fine inside and coarse outside", () => {
  const whole = banded([run(0, 1, 2, 3)], "std");
  const detail = { x: [10, 15], y: [7, 8], points: 2, band: { low: [6, 7], high: [8, 9] } };
  const both = spliced(whole, detail, [10, 20]);
  expect(both.x).toEqual([0, 10, 15, 30]);
  expect(both.band?.low).toEqual([0, 6, 7, 3]);
});

test("what is not finite has no place in an envelope", () => {
  const { low, high } = envelope([1, Number.NaN, 3, Number.NaN, Number.NaN, Number.NaN]);
  expect(low).toEqual([1, 1, 3, 3, Number.NaN, Number.NaN]);
  expect(high[1]).toBe(3);
});
