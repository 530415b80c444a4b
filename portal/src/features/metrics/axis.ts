/** What runs along the bottom of a chart. */

import type { Points } from "./series";

export const axes = ["step", "time", "relative"] as const;

/** The step as logged, the wall clock, or the seconds since the run started. */
export type Axis = (typeof axes)[number];

/** From and to in the axis' own unit: steps, seconds since 1970, seconds since the start. */
export type Range = readonly [from: number, to: number];

/** A line ready to draw: x ascending, y as logged. */
export type Line = {
  id: string;
  label: string;
  x: number[];
  y: number[];
};

/**
 * The points' places on the axis. `start` is the run's beginning in microseconds. Points of one moment (a batch
 * without times of its own) are put a microsecond apart in their order, so that each keeps a place.
 */
export function positions(points: Points, axis: Axis, start: number): { x: number[]; y: number[] } {
  if (axis === "step") return { x: points.step, y: points.value };
  const origin = axis === "time" ? 0 : start;
  const order = points.time.map((_, index) => index);
  if (
    !points.time.every((time, index) => index === 0 || time >= (points.time[index - 1] ?? time))
  ) {
    order.sort((a, b) => (points.time[a] ?? 0) - (points.time[b] ?? 0));
  }
  let last = Number.NEGATIVE_INFINITY;
  const x = order.map((index) => {
    last = Math.max(points.time[index] ?? 0, last + 1);
    return (last - origin) / 1e6;
  });
  return { x, y: order.map((index) => points.value[index] ?? Number.NaN) };
}

/**
 * The steps that the server has to be asked for so that it covers `range`, one point beyond each side so
 * that the line reaches the edges; `null` when the range holds nothing known.
 */
export function stepsWithin(
  points: Points,
  axis: Axis,
  start: number,
  range: Range,
): [from: number, to: number] | null {
  const { step, time } = points;
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < step.length; index++) {
    const own = step[index] ?? 0;
    const x = axis === "step" ? own : ((time[index] ?? 0) - (axis === "time" ? 0 : start)) / 1e6;
    if (x < range[0] || x > range[1]) continue;
    from = Math.min(from, step[index - 1] ?? own, own);
    to = Math.max(to, step[index + 1] ?? own, own);
  }
  if (axis === "step") return [Math.floor(range[0]), Math.ceil(range[1])];
  return from <= to ? [from, to] : null;
}

/** The range moved by a share of its width, kept inside `full`. */
export function panned(range: Range, full: Range, share: number): Range {
  const width = range[1] - range[0];
  const from = Math.min(
    Math.max(range[0] + width * share, full[0]),
    Math.max(full[0], full[1] - width),
  );
  return [from, from + width];
}

/** The range scaled by `factor` around `centre`; `null` when it is the whole again. */
export function zoomed(range: Range, full: Range, factor: number, centre?: number): Range | null {
  const middle = centre ?? (range[0] + range[1]) / 2;
  const from = Math.max(full[0], middle - (middle - range[0]) * factor);
  const to = Math.min(full[1], middle + (range[1] - middle) * factor);
  if (from <= full[0] && to >= full[1]) return null;
  const smallest = (full[1] - full[0]) * 1e-9;
  return to - from > smallest ? [from, to] : range;
}
