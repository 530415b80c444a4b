import { expect, test } from "vitest";
import type { Run } from "@/api/generated/models/run";
import { automaticColumns, foundColumns } from "./columns";
import { nextSort } from "./workspace";

const run = (params: Run["params"], metrics: Run["metrics"] = {}) =>
  ({ params, metrics, tags: {} }) as Run;

test("columns show what tells the runs apart, and how they did", () => {
  const runs = [
    run({ lr: 0.1, seed: 1 }, { loss: 1 }),
    run({ lr: 0.2, seed: 1 }, { loss: 2, acc: 1 }),
  ];
  const found = foundColumns([runs.slice(0, 1), runs.slice(1)]);
  expect(found).toMatchObject({
    differing: ["lr"],
    identical: ["seed"],
    metrics: ["loss", "acc"],
  });
  expect(found.equal.get("seed")).toBe(1);
  expect(automaticColumns(found, { withExperiment: true, single: false, same: false })).toEqual([
    "status",
    "experiment",
    "created_at",
    "duration",
    "params.lr",
    "metrics.loss",
    "metrics.acc",
  ]);
});

test("a parameter that only some runs have differs", () => {
  expect(foundColumns([[run({ lr: 1 })], [run({})]]).differing).toEqual(["lr"]);
});

test("a single run shows its parameters although nothing differs", () => {
  const found = foundColumns([[run({ lr: 1 })]]);
  const columns = automaticColumns(found, { withExperiment: false, single: true, same: false });
  expect(columns).toContain("params.lr");
});

test("a head sorts metrics from the greatest, names from A, then the other way, then not at all", () => {
  const usual = ["-created_at"];
  expect(nextSort("metrics.loss", usual)).toEqual(["-metrics.loss"]);
  expect(nextSort("metrics.loss", ["-metrics.loss"])).toEqual(["metrics.loss"]);
  expect(nextSort("metrics.loss", ["metrics.loss"])).toBeUndefined();
  expect(nextSort("name", usual)).toEqual(["name"]);
});

test("a further key decides after those before it, and goes without touching them", () => {
  const both = nextSort("metrics.loss", ["params.lr"], true);
  expect(both).toEqual(["params.lr", "-metrics.loss"]);
  expect(nextSort("metrics.loss", both ?? [], true)).toEqual(["params.lr", "metrics.loss"]);
  expect(nextSort("metrics.loss", ["params.lr", "metrics.loss"], true)).toEqual(["params.lr"]);
});
