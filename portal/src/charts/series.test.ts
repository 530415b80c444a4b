import { expect, test } from "vitest";
import type { Curve } from "./axis";
import { bySection, merged, noPicture, pictured, pictureFrom } from "./series";

const curve = (...pairs: [number, number][]): Curve => ({
  x: pairs.map(([x]) => x),
  y: pairs.map(([, y]) => y),
});
const line = (length: number, every = 1, from = 0): Curve => ({
  x: Array.from({ length }, (_, index) => from + index * every),
  y: Array.from({ length }, (_, index) => from + index * every),
});
const nothing = () => curve();

test("words of the wire become the numbers they stand for", () => {
  const wire = {
    step: [0, 1, 2, 3],
    value: [0.5, "NaN" as const, "Infinity" as const, "-Infinity" as const],
    time: [0, 1, 2, 3],
    count: 4,
    exact: true,
    ordinal: 1,
  };
  const { y } = pictureFrom(wire, "step", null);
  expect(y).toEqual([0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
});

test("relative time counts from the run's first point, not from that of the series", () => {
  const wire = { step: [7], value: [1], time: [5e6], count: 1, exact: true, ordinal: 1 };
  expect(pictureFrom({ ...wire, origin: 2e6 }, "relative", null).x).toEqual([3]);
});

test("points that arrive out of order come to their place, equal places keep their order", () => {
  const result = merged(curve([0, 1], [4, 5]), curve([2, 3], [4, 6]));
  expect(result.x).toEqual([0, 2, 4, 4]);
  expect(result.y).toEqual([1, 3, 5, 6]);
});

test("a zoom is fine inside its range and stays coarse outside of it", () => {
  const whole = { ...noPicture, ...line(11, 100), count: 1001, exact: false };
  const detail = { ...noPicture, ...line(101, 1, 200), count: 101, range: [200, 300] as const };
  const { x } = pictured(whole, detail, nothing);
  expect(x.slice(0, 4)).toEqual([0, 100, 200, 201]);
  expect(x.slice(-3)).toEqual([800, 900, 1000].slice(-3));
  expect(x).toHaveLength(2 + 101 + 7);
});

test("a part that has no point at all empties the picture there", () => {
  const whole = { ...noPicture, ...curve([0, 1], [5, 9], [10, 1]), exact: false };
  const detail = { ...noPicture, range: [4, 6] as const };
  expect(pictured(whole, detail, nothing).x).toEqual([0, 10]);
});

test("each live point is drawn once, whichever of two pictures holds it already", () => {
  const whole = { ...noPicture, ...curve([0, 0], [1, 1]), ordinal: 1, exact: false };
  const detail = {
    ...noPicture,
    ...curve([1, 1], [2, 2]),
    ordinal: 2,
    range: [1, 2.5] as const,
  };
  const batches = [curve([2, 2]), curve([3, 3])];
  const tail = (after: number) =>
    batches.slice(after - 1).reduce((all, next) => merged(all, next), curve());
  expect(pictured(whole, detail, tail).x).toEqual([0, 1, 2, 3]);
});

test("a prefix makes a section when at least two metrics share it", () => {
  const keys = ["train/loss", "train/acc", "val/loss", "lr", "layer10/norm", "layer2/norm"];
  expect(bySection(keys)).toEqual([
    { section: "", keys: ["layer2/norm", "layer10/norm", "lr", "val/loss"] },
    { section: "train", keys: ["train/acc", "train/loss"] },
  ]);
});
