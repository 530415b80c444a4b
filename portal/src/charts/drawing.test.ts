import { expect, test } from "vitest";
import type { Line } from "./axis";
import {
  drawnLines,
  endLabels,
  type Frame,
  heightOf,
  neighbour,
  paintLine,
  readAt,
} from "./drawing";

const line = (id: string, x: number[], y: number[], more: Partial<Line> = {}): Line => ({
  id,
  label: id,
  x,
  y,
  ...more,
});
const plain = { logY: false, clip: false };
const steps = (count: number) => Array.from({ length: count }, (_, index) => index);
const pen = { color: "red", dash: [], width: 1, alpha: 1, dots: false };

/** What would be drawn on a canvas, as the calls that draw it. */
function drawn(x: number[], y: number[], change: Partial<Frame> = {}): string[] {
  const calls: string[] = [];
  const context = new Proxy({} as Record<string, unknown>, {
    get: (_, name: string) =>
      name === "moveTo" || name === "lineTo" || name === "arc"
        ? (...place: number[]) => calls.push(`${name} ${place.slice(0, 2).join(",")}`)
        : () => undefined,
    set: () => true,
  }) as unknown as CanvasRenderingContext2D;
  const frame: Frame = {
    left: 0,
    top: 0,
    width: 100,
    height: 100,
    x: [0, 10],
    y: [0, 100],
    logX: false,
    logY: false,
    ratio: 1,
    ...change,
  };
  paintLine(context, x, y, frame, pen);
  return calls;
}

test("a value that is not finite is a gap, and a point alone between gaps is a dot", () => {
  expect(drawn([0, 1, 2, 3, 4], [10, 20, Number.NaN, 30, Number.POSITIVE_INFINITY])).toEqual([
    "moveTo 0,90",
    "lineTo 10,80",
    "moveTo 30,70",
    "arc 30,70",
  ]);
});

test("where many points share a pixel its highest and lowest are drawn, so no spike is lost", () => {
  const x = steps(10_001).map((index) => index / 1000);
  const y = x.map((_, index) => (index === 5003 ? 99 : 50));
  const calls = drawn(x, y);
  expect(calls.length).toBeLessThan(450);
  expect(calls.some((call) => call.endsWith(",1"))).toBe(true);
});

test("only what is in view is drawn, with one point beyond each edge", () => {
  expect(drawn(steps(100), steps(100), { x: [40, 42] })).toHaveLength(5);
});

test("what a logarithmic axis cannot show is left out on both axes", () => {
  const calls = drawn([0, 1, 10], [5, 0, 10], { x: [1, 10], y: [1, 100], logX: true, logY: true });
  expect(calls).toEqual(["moveTo 100,50", "arc 100,50"]);
});

test("the height follows what is in view, its band included", () => {
  const [one] = drawnLines(
    [line("a", [0, 1, 2], [1, 5, 100], { band: { low: [0, 3, 90], high: [2, 8, 110] } })],
    0,
  );
  expect(one && heightOf([one], [0, 1], plain)).toEqual([0, 8]);
  expect(one && heightOf([one], [50, 60], plain)).toBeNull();
});

test("outliers can be left out of the height", () => {
  const y = steps(1000).map((index) => (index === 500 ? 1e9 : index % 10));
  const lines = drawnLines([line("a", steps(1000), y)], 0);
  expect(heightOf(lines, [0, 999], { logY: false, clip: true })?.[1]).toBeLessThan(10);
  expect(heightOf(lines, [0, 999], plain)?.[1]).toBe(1e9);
});

test("a coarse line has its extremes shaded, an exact one does not", () => {
  const [coarse, exact] = drawnLines(
    [line("a", [0, 1, 2], [1, 9, 2], { coarse: true }), line("b", [0, 1, 2], [1, 9, 2])],
    0.5,
  );
  expect(coarse?.band).toEqual({ low: [1, 1, 2], high: [9, 9, 9] });
  expect(exact?.band).toBeNull();
  expect(exact?.smooth).toHaveLength(3);
});

test("a line that did not change is not made again", () => {
  const lines = [line("a", [0], [1])];
  expect(drawnLines(lines, 0.3)[0]).toBe(drawnLines(lines, 0.3)[0]);
  expect(drawnLines(lines, 0.3)[0]).not.toBe(drawnLines(lines, 0.6)[0]);
});

test("under the cursor each line says its nearest point, unless it ended long before", () => {
  const [one] = drawnLines([line("a", [0, 10, 20], [1, 2, 3])], 0);
  expect(one && readAt(one, 13, 1)?.raw).toBe(2);
  expect(one && readAt(one, 50, 5)).toBeNull();
  expect(one && readAt(one, 22, 5)?.raw).toBe(3);
});

test("the keyboard's cursor goes through the points of all lines in their order", () => {
  const lines = [line("a", [0, 2, 4], []), line("b", [1, 2, 9], [])];
  const visited: number[] = [0];
  for (let next = neighbour(lines, 0, 1, [0, 5]); next !== null; ) {
    visited.push(next);
    next = neighbour(lines, next, 1, [0, 5]);
  }
  expect(visited).toEqual([0, 1, 2, 4]);
  expect(neighbour(lines, 2, -1, [0, 5])).toBe(1);
});

test("names of lines that end in one place stand one below the other, inside the chart", () => {
  const ends = ["a", "b", "c"].map((label) => ({ label, color: "red", x: [0, 1], y: [1, 1] }));
  const frame = { left: 0, top: 0, width: 100, height: 100, logX: false, logY: false, ratio: 1 };
  const labels = endLabels(ends, { ...frame, x: [0, 1], y: [0, 100] });
  expect(labels.map(({ y }) => y)).toEqual([74, 87, 100]);
});
