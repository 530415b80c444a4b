import * as v from "valibot";
import { expect, test } from "vitest";
import { shortcutCatalogue } from "@/ui/shortcut-catalogue";
import { commandOf } from "./keys";
import { chartSearch, searchFrom, viewFrom } from "./view";

test("a view goes into the address and comes back", () => {
  const view = {
    axis: "relative" as const,
    logY: true,
    smoothing: 0.6,
    zoom: [10.5, 1e6] as const,
    filter: "loss",
    overlays: { "train/loss": ["val/loss"] },
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
});

test("every key that the help lists for charts does something", () => {
  const keys = Object.values(shortcutCatalogue).filter(({ group }) => group === "chart");
  expect(keys.filter(({ keys: key }) => commandOf(key) === null)).toEqual([]);
});
