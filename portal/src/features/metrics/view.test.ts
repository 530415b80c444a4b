import * as v from "valibot";
import { expect, test } from "vitest";
import { commandOf } from "@/charts/keys";
import { shortcutCatalogue } from "@/ui/shortcut-catalogue";
import { chartSearch, matcher, searchFrom, viewFrom, viewIn } from "./view";

test("a view goes into the address and comes back", () => {
  const view = {
    axis: "relative" as const,
    logX: true,
    logY: true,
    smoothing: 0.6,
    zoom: [10.5, 1e6] as const,
    filter: "loss",
    overlays: { "train/loss": ["val/loss"] },
    clip: true,
    band: "range" as const,
    heights: { loss: [0.001, 2] as const },
    added: ["lr"],
    only: "a-run",
  };
  expect(viewFrom(searchFrom(view))).toEqual(view);
});

test("what is as usual stays out of the address", () => {
  expect(Object.values(searchFrom(viewFrom({}))).every((value) => value === undefined)).toBe(true);
});

test("an address that makes no sense opens the usual view", () => {
  const search = v.parse(v.object(chartSearch), {
    axis: "moon",
    smooth: 7,
    zoom: "a..b",
    with: "x",
  });
  expect(viewFrom(search)).toEqual(viewFrom({}));
  expect(viewIn({ smooth: "much", log: 3, y: { loss: "high" }, other: [] })).toEqual(viewFrom({}));
});

test("wall time has no logarithmic axis", () => {
  expect(viewFrom({ axis: "time", logx: true }).logX).toBe(false);
});

test("a filter is a regular expression, or words where it is none", () => {
  const keys = ["train/loss", "val/loss", "lr[0]"];
  expect(keys.filter(matcher("^val|lr"))).toEqual(["val/loss", "lr[0]"]);
  expect(keys.filter(matcher("LR["))).toEqual(["lr[0]"]);
});

test("every key that the help lists for charts does something", () => {
  const keys = Object.values(shortcutCatalogue).filter(({ group }) => group === "chart");
  expect(keys.filter(({ keys: key }) => commandOf(key) === null)).toEqual([]);
});
