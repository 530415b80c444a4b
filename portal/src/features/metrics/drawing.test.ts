import { expect, test } from "vitest";
import { drawingOf } from "./drawing";

const line = (id: string, x: number[], y: number[]) => ({ id, label: id, x, y });

test("a value that is not finite is a gap in the line and a mark at its place", () => {
  const { columns, marks } = drawingOf(
    [line("loss", [0, 1, 2, 3], [1, Number.NaN, Number.POSITIVE_INFINITY, 2])],
    0,
    false,
  );
  expect(columns[1]).toEqual([1, null, null, 2]);
  expect(marks).toEqual([
    { x: 1, kind: "nan", line: 0 },
    { x: 2, kind: "up", line: 0 },
  ]);
});

test("series of different steps share one axis without gaps of its making", () => {
  const { columns } = drawingOf([line("a", [0, 2], [1, 3]), line("b", [1], [5])], 0, false);
  expect(columns).toEqual([
    [0, 1, 2],
    [1, undefined, 3],
    [undefined, 5, undefined],
  ]);
});

test("with smoothing each series has its raw column and its smooth one", () => {
  const { columns } = drawingOf([line("a", [0, 1], [1, 3])], 0.5, false);
  expect(columns).toHaveLength(3);
  expect(columns[1]).toEqual([1, 3]);
});

test("what a logarithmic axis cannot show is counted", () => {
  expect(drawingOf([line("a", [0, 1, 2], [0, -1, 5])], 0, true).notPositive).toBe(2);
});
