import { expect, test } from "vitest";
import { bySection, merged, pointsFrom } from "./series";

const points = (...pairs: [number, number][]) => ({
  step: pairs.map(([step]) => step),
  value: pairs.map(([, value]) => value),
  time: pairs.map(([step]) => step * 10),
});

test("words of the wire become the numbers they stand for", () => {
  const { value } = pointsFrom({
    step: [0, 1, 2, 3],
    value: [0.5, "NaN", "Infinity", "-Infinity"],
    time: [0, 1, 2, 3],
  });
  expect(value).toEqual([0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
});

test("live points follow what was fetched, and those in both stand once", () => {
  expect(merged(points([0, 1], [1, 2]), points([1, 2], [2, 3])).step).toEqual([0, 1, 2]);
});

test("points that arrive out of order come to their place, equal steps keep their order", () => {
  const result = merged(points([0, 1], [4, 5]), points([2, 3], [4, 6]));
  expect(result.step).toEqual([0, 2, 4, 4]);
  expect(result.value).toEqual([1, 3, 5, 6]);
});

test("a prefix makes a section when at least two metrics share it", () => {
  const keys = ["train/loss", "train/acc", "val/loss", "lr", "layer10/norm", "layer2/norm"];
  expect(bySection(keys)).toEqual([
    { section: "", keys: ["layer2/norm", "layer10/norm", "lr", "val/loss"] },
    { section: "train", keys: ["train/acc", "train/loss"] },
  ]);
});
