import { expect, test } from "vitest";
import type { Run } from "@/api/generated/models/run";
import { automaticColumns, foundColumns } from "./columns";
import { nextSort, runParams } from "./filter";

const run = (params: Run["params"], metrics: Run["metrics"] = {}) =>
  ({ params, metrics, tags: {} }) as Run;

test("columns show what tells the runs apart, and how they did", () => {
  const runs = [
    run({ lr: 0.1, seed: 1 }, { loss: 1 }),
    run({ lr: 0.2, seed: 1 }, { loss: 2, acc: 1 }),
  ];
  const found = foundColumns(runs);
  expect(found).toEqual({ differing: ["lr"], identical: ["seed"], metrics: ["loss", "acc"] });
  expect(automaticColumns(runs, found, true)).toEqual([
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
  expect(foundColumns([run({ lr: 1 }), run({})]).differing).toEqual(["lr"]);
});

test("a single run shows its parameters although nothing differs", () => {
  const runs = [run({ lr: 1 })];
  expect(automaticColumns(runs, foundColumns(runs), false)).toContain("params.lr");
});

test("a head sorts metrics from the greatest, names from A, then the other way, then not at all", () => {
  expect(nextSort("metrics.loss", "-created_at")).toBe("-metrics.loss");
  expect(nextSort("metrics.loss", "-metrics.loss")).toBe("metrics.loss");
  expect(nextSort("metrics.loss", "metrics.loss")).toBeUndefined();
  expect(nextSort("name", "-created_at")).toBe("name");
});

test("blank filters are not sent", () => {
  expect(runParams({ projectId: "p" }, { q: "  ", status: [], tag: [] })).toEqual({
    sort: "-created_at",
  });
});
