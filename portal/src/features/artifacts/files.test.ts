import { expect, test } from "vitest";
import type { Entry } from "@/api/generated/models/entry";
import { parseDelimited } from "./delimited";
import { kindOf } from "./kinds";
import { below, fileAddress, folderOf, foldersOf, nameOf } from "./paths";
import { plotOf } from "./plots";
import { type Branch, moveBy, rowsOf } from "./tree";

test("a path is taken apart, put together and written into an address", () => {
  expect([nameOf("a/b/c.txt"), folderOf("a/b/c.txt"), folderOf("c")]).toEqual(["c.txt", "a/b", ""]);
  expect(foldersOf("a/b/c.txt")).toEqual(["a", "a/b"]);
  expect(below("a", "e\u0301.txt")).toBe("a/\u00e9.txt");
  expect(fileAddress("1", "a b/50%#?.txt")).toBe("/api/v1/runs/1/artifacts/a%20b/50%25%23%3F.txt");
});

test("the name says as what a file is shown", () => {
  const of = (path: string) => kindOf(path, "application/octet-stream");
  expect(["a.PNG", "x/a.csv", "Dockerfile", "a.tar.gz", "run.py", "no-ending"].map(of)).toEqual([
    "image",
    "table",
    "text",
    "none",
    "text",
    "none",
  ]);
  expect(kindOf("notes", "text/plain")).toBe("text");
});

test("quotes, line ends and separators of tables are read", () => {
  const table = parseDelimited('\uFEFFa;b\r\n"1;2";"say ""x"""\r\n\r\n3;\n', 10, true);
  expect(table).toEqual({
    columns: ["a", "b"],
    rows: [
      ["1;2", 'say "x"'],
      ["3", ""],
    ],
    more: false,
  });
  expect(parseDelimited('a,b\n"two\nlines",1', 10, true).rows).toEqual([["two\nlines", "1"]]);
});

test("a table that was cut off shows no half row, and no more rows than asked for", () => {
  expect(parseDelimited("a,b\n1,2\n3,4", 10, false)).toMatchObject({
    rows: [["1", "2"]],
    more: true,
  });
  expect(parseDelimited("a\n1\n2\n3\n", 2, true)).toMatchObject({
    rows: [["1"], ["2"]],
    more: true,
  });
  expect(parseDelimited("", 2, true)).toEqual({ columns: [], rows: [], more: false });
  expect(parseDelimited('a\n"never closed', 2, true).rows).toEqual([["never closed"]]);
});

function branch(kind: "file" | "folder", ...paths: string[]): Branch {
  const entries = paths.map((path) => ({ kind, path }) as Entry);
  return { entries, more: false, loading: false, error: null };
}

test("rows follow what is open; arrows fold and climb", () => {
  const branches = new Map([
    ["", branch("folder", "a", "b")],
    ["a", { ...branch("file", "a/1", "a/2"), more: true }],
    ["b", branch("file")],
  ]);
  const rows = rowsOf(branches, new Set(["a", "b"]));
  expect(rows.map(({ key, level }) => `${level} ${key}`)).toEqual([
    "1 folder:a",
    "2 file:a/1",
    "2 file:a/2",
    "2 rest:a",
    "1 folder:b",
    "2 empty:b",
  ]);
  expect(moveBy("ArrowLeft", rows, 2)).toEqual({ to: 0 });
  expect(moveBy("ArrowLeft", rows, 0)).toEqual({ close: "a" });
  expect(moveBy("ArrowRight", rows, 0)).toEqual({ to: 1 });
  expect(moveBy("End", rows, 0)).toEqual({ to: 5 });
  expect(moveBy("ArrowUp", rows, 0)).toEqual({ to: 0 });
  expect(moveBy("x", rows, 0)).toBeNull();
});

test("plain figures of Plotly are read, packed numbers and names of bars too", () => {
  const bdata = btoa(String.fromCharCode(...new Uint8Array(new Float64Array([1, 2.5]).buffer)));
  const line = plotOf({
    data: [{ type: "scatter", name: "loss", x: [0, 1], y: { dtype: "f8", bdata } }],
    layout: { title: { text: "Loss" }, xaxis: { title: "step" } },
  });
  expect(line?.drawn).toMatchObject({ title: "Loss", xTitle: "step", categories: null });
  expect(line?.drawn?.traces).toEqual([{ name: "loss", mode: "line", x: [0, 1], y: [1, 2.5] }]);
  const bars = plotOf({ data: [{ type: "bar", x: ["a", "b"], y: [1, null] }], layout: {} });
  expect(bars?.drawn?.categories).toEqual(["a", "b"]);
  expect(bars?.drawn?.traces[0]?.y).toEqual([1, Number.NaN]);
});

test("what is not plain is no picture, and other JSON is no figure", () => {
  expect(plotOf({ data: [{ type: "surface", z: [] }], layout: {} })?.drawn).toBeNull();
  expect(plotOf({ data: [{ y: [1], x: [1, 2] }], layout: {} })?.drawn).toBeNull();
  expect(plotOf({ $schema: "https://vega.github.io/schema/vega-lite/v5.json" })).toEqual({
    library: "Vega-Lite",
    drawn: null,
  });
  expect(plotOf({ data: 1 })).toBeNull();
  expect(plotOf([])).toBeNull();
});
