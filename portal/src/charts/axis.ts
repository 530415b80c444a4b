/** What runs along the bottom of a chart. */

import type { Gap, LatePoints } from "./gaps";
import type { Points } from "./series";

export const axes = ["step", "time", "relative"] as const;
/** The step as logged, the wall clock, or the seconds since the run's first point. */
export type PointAxis = (typeof axes)[number];
/** Also a measured quantity, where one is drawn against another. */
export type Axis = PointAxis | "value";

/** From and to in the axis' own unit: steps, seconds since 1970, seconds since the start. */
export type Range = readonly [from: number, to: number];

/** Points in their places: x ascending, y as logged. */
export type Curve = { x: number[]; y: number[] };

/** A line ready to draw. */
export type Line = Curve & {
  id: string;
  label: string;
  /** Colour and dash: the index for `seriesStyle` of ui/palette; its place among the lines where it is missing. */
  look?: number;
  /** Where it comes from, for what is exported; missing on lines that are made of several runs. */
  run?: { id: string; name: string };
  metric?: string;
  /** What is known around the line: as wide as `x`. */
  band?: { low: number[]; high: number[] };
  /** Whether it lacks points that are stored: then its extremes are shaded. */
  coarse?: boolean;
  /** Where there is no data: shaded, and the line breaks. */
  gaps?: readonly Gap[];
  /** What came after its time: marked. */
  late?: LatePoints | null;
  /** Why a point has no value, in words, by its place. */
  reasons?: ReadonlyMap<number, string>;
};

/**
 * The points' places on the axis. `origin` is what relative time counts from, in microseconds. Points of one
 * moment (a batch without times of its own) are put a microsecond apart in their order, so that the keyboard's
 * cursor reaches each.
 */
export function positions(points: Points, axis: Axis, origin: number): Curve {
  if (axis === "step" || axis === "value") return { x: points.step, y: points.value };
  const begin = axis === "time" ? 0 : origin;
  const order = points.time.map((_, index) => index);
  if (
    !points.time.every((time, index) => index === 0 || time >= (points.time[index - 1] ?? time))
  ) {
    order.sort((a, b) => (points.time[a] ?? 0) - (points.time[b] ?? 0));
  }
  let last = Number.NEGATIVE_INFINITY;
  const x = order.map((index) => {
    last = Math.max(points.time[index] ?? 0, last + 1);
    return (last - begin) / 1e6;
  });
  return { x, y: order.map((index) => points.value[index] ?? Number.NaN) };
}

/** How a range is asked for: whole steps, or microseconds. */
export function rangeParams(axis: Axis, range: Range | null): Record<string, number> {
  if (!range) return {};
  const scale = axis === "step" ? 1 : 1e6;
  return {
    [`from_${axis}`]: Math.floor(range[0] * scale),
    [`to_${axis}`]: Math.ceil(range[1] * scale),
  };
}

/** The first index whose x is not below `place`; the length where all are. */
export function indexFrom(x: readonly number[], place: number): number {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((x[middle] ?? 0) < place) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The index of the point nearest to `place`; -1 where there is none. */
export function nearestIndex(x: readonly number[], place: number): number {
  const after = indexFrom(x, place);
  if (after >= x.length) return x.length - 1;
  const before = after - 1;
  if (before < 0) return after;
  return place - (x[before] ?? 0) <= (x[after] ?? 0) - place ? before : after;
}

/** Everything that the lines cover; on a logarithmic axis what lies above zero. */
export function extent(lines: readonly Curve[], logX = false): Range {
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const { x } of lines) {
    const begin = logX ? indexFrom(x, Number.MIN_VALUE) : 0;
    first = Math.min(first, x[begin] ?? Number.POSITIVE_INFINITY);
    last = Math.max(last, x.at(-1) ?? Number.NEGATIVE_INFINITY);
  }
  if (first < last) return [first, last];
  if (first === last) return logX ? [first / 2, first * 2] : [first - 0.5, first + 0.5];
  return logX ? [0.1, 10] : [0, 1];
}

const log = (range: Range): Range => [Math.log10(range[0]), Math.log10(range[1])];
const unlog = (range: Range): Range => [10 ** range[0], 10 ** range[1]];

/** The range moved by a share of its width, kept inside `full`. */
export function panned(range: Range, full: Range, share: number, logX = false): Range {
  if (logX) return unlog(panned(log(range), log(full), share));
  const width = range[1] - range[0];
  const from = Math.min(
    Math.max(range[0] + width * share, full[0]),
    Math.max(full[0], full[1] - width),
  );
  return [from, from + width];
}

/** The range scaled by `factor` around `centre`; `null` when it is the whole again. */
export function zoomed(
  range: Range,
  full: Range,
  factor: number,
  centre?: number,
  logX = false,
): Range | null {
  if (logX) {
    const around = centre === undefined ? undefined : Math.log10(centre);
    const result = zoomed(log(range), log(full), factor, around);
    return result && unlog(result);
  }
  const middle = centre ?? (range[0] + range[1]) / 2;
  const from = Math.max(full[0], middle - (middle - range[0]) * factor);
  const to = Math.min(full[1], middle + (range[1] - middle) * factor);
  if (from <= full[0] && to >= full[1]) return null;
  const smallest = (full[1] - full[0]) * 1e-9;
  return to - from > smallest ? [from, to] : range;
}
