import { expect, test } from "vitest";
import type { ComparedRuns } from "@/api/generated/models/comparedRuns";
import type { ComparedSeries } from "@/api/generated/models/comparedSeries";
import { linesOf, looksOf } from "./groups";
import { dimensionsOf } from "./relations";

const compared = {
  params: [
    { key: "lr", differs: true, values: [0.1, 0.01, null], missing: [2] },
    { key: "optimizer", differs: true, values: ["sgd", "adam", null], missing: [2] },
    { key: "deep", differs: true, values: [true, 3, "x"], missing: [] },
    { key: "batch", differs: false, values: [32, 32, 32], missing: [] },
  ],
  metrics: [{ key: "loss", cells: [{ last: 0.5 }, null, { last: "NaN" }] }],
} as unknown as ComparedRuns;

test("params that differ and all metrics have a value a run, or none", () => {
  const [lr, optimizer, deep, loss] = dimensionsOf(compared);
  expect(lr).toMatchObject({ id: "params.lr", values: [0.1, 0.01, null], categories: null });
  expect(optimizer).toMatchObject({
    values: [1, 0, null],
    categories: ["adam", "sgd"],
    texts: ["sgd", "adam", "—"],
  });
  expect(deep?.categories).toEqual(["3", "true", "x"]);
  expect(loss).toMatchObject({ id: "metrics.loss", values: [0.5, null, null] });
  expect(dimensionsOf(compared)).toHaveLength(4);
});

const curve = (label: object, center: (number | null)[]) => ({
  label,
  run_ids: ["a", "b"],
  center,
  low: center,
  high: center,
  n: [2, 2],
});
const series = {
  metrics: [
    {
      key: "loss",
      x: [0, 5],
      runs: [],
      groups: [curve({ lr: 0.1 }, [1, null]), curve({}, [2, 3])],
    },
    { key: "acc", x: [1_000_000, 2_000_000], runs: [], groups: [curve({}, [4, 5])] },
  ],
  missing: [],
} as unknown as ComparedSeries;

test("a group is a line with its band, and looks the same in every chart", () => {
  const looks = looksOf(series, "all");
  const [first, second] = series.metrics;
  if (!first || !second) throw new Error("two metrics");
  const [narrow, wide] = linesOf(first, "step", looks, "all");
  expect(narrow).toMatchObject({ id: "lr=0.1", label: "lr=0.1 (2)", look: 0, x: [0, 5] });
  expect(narrow?.y).toEqual([1, Number.NaN]);
  expect(narrow?.band?.low).toEqual([1, Number.NaN]);
  expect(wide).toMatchObject({ id: "all", look: 1 });
  expect(linesOf(second, "relative", looks, "all")[0]).toMatchObject({ look: 1, x: [1, 2] });
});
