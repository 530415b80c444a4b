import * as v from "valibot";
import { expect, test } from "vitest";
import { runParams, runSearch, searchOf, type Workspace, workspaceOf } from "./workspace";

const read = (search: object) => v.parse(runSearch, search);

test("blank filters are not sent", () => {
  expect(runParams({ projectId: "p" }, { filter: "  " })).toEqual({
    sort: "-created_at",
  });
});

test("keys that are no plain words are sent in quotes, and a group's condition joins the filter", () => {
  const workspace = { filter: "metrics.loss < 1", sort: ["-metrics.val/loss", "params.lr"] };
  expect(runParams({ projectId: "p" }, workspace, "params.lr is null")).toEqual({
    filter: "metrics.loss < 1 and params.lr is null",
    order_by: ['metrics."val/loss" desc', "params.lr asc"],
  });
});

test("what cannot be read in an address is left out, the rest stays", () => {
  expect(read({ filter: 7, layout: "cube", split: 40, pins: "x", group: ["params.lr"] })).toEqual({
    split: 40,
    group: ["params.lr"],
  });
});

test("an address of before becomes the same expression", () => {
  const search = read({ q: "qui", status: ["failed"], tag: ["rig=A", "old"], sort: "name" });
  expect(search).toEqual({
    filter:
      'attributes.name ilike "%qui%" and attributes.status = "failed" and tags.rig = "A" and tags.old is not null',
    sort: ["name"],
  });
});

test("an address over a view carries only what is not as in the view, and says what was taken away", () => {
  const stored: Workspace = { filter: "metrics.loss < 1", group: ["params.lr"], split: 40 };
  const now: Workspace = { filter: "metrics.loss < 1", split: 50 };
  const search = searchOf(now, "v1", stored);
  expect(search).toEqual({ view: "v1", group: null, split: 50 });
  expect(workspaceOf(read(search), stored)).toEqual(now);
  expect(searchOf(stored, "v1", stored)).toEqual({ view: "v1" });
});
