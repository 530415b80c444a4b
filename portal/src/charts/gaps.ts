/** Where a line has no data, and what else there is to say of its points. */

import type { Curve } from "./axis";

/** Between the last point before and the first one after. */
export type Gap = readonly [from: number, to: number];

/** What was received after its time. */
export type LatePoints = {
  count: number;
  /** Stretches in which such points lie: from, to, and how many. */
  stretches: readonly (readonly [from: number, to: number, count: number])[];
  /** Those among the points of the line. */
  places: ReadonlySet<number>;
};

/** A distance of so many periods is a gap. */
const periods = 3;
/** Where points are thinned, neighbours with something between them are never further apart than so many steps. */
const thinnedSteps = 10;
const sampled = 200;

/** The usual distance between neighbours: their median, of a sample where there are many. */
export function medianDistance(x: readonly number[]): number {
  const every = Math.max(1, Math.floor((x.length - 1) / sampled));
  const distances: number[] = [];
  for (let index = 1; index < x.length; index += every) {
    const distance = (x[index] ?? 0) - (x[index - 1] ?? 0);
    if (distance > 0) distances.push(distance);
  }
  distances.sort((a, b) => a - b);
  return distances[distances.length >> 1] ?? Number.POSITIVE_INFINITY;
}

type Density = {
  /** Points a second that were promised; `null` goes by the points themselves. */
  rate: number | null;
  /** How many points are stored, and whether the picture has all of them. */
  count: number;
  exact: boolean;
  /** What was asked for: its width, and how many points at most. */
  width: number;
  points: number;
};

/** From which distance on neighbours of a picture have a gap between them. */
export function widestOf(x: readonly number[], { rate, count, exact, ...asked }: Density): number {
  const reach = (x.at(-1) ?? 0) - (x[0] ?? 0);
  const period = rate ? 1 / rate : exact ? medianDistance(x) : reach / Math.max(1, count - 1);
  const seen = exact ? 0 : (thinnedSteps * asked.width) / asked.points;
  // A rate of exactly one a period must not make gaps by rounding.
  return Math.max(periods * period, seen) * (1 + 1e-9);
}

/**
 * The gaps of a line: wider than `widest` at that place, or a NaN that stands for one. `known` are places
 * without a value at which something was measured all the same.
 */
export function gapsOf(
  { x, y }: Curve,
  widest: (place: number) => number,
  known?: ReadonlyMap<number, unknown>,
): Gap[] {
  const gaps: Gap[] = [];
  let last = Number.NaN;
  let lost = Number.NaN;
  for (let index = 0; index < x.length; index++) {
    const place = x[index] ?? 0;
    if (!Number.isFinite(y[index]) && !known?.has(place)) {
      lost = place;
      continue;
    }
    const missing = lost > last || place - last > widest(place);
    if (!Number.isNaN(last) && missing) gaps.push([last, place]);
    last = place;
    lost = Number.NaN;
  }
  if (lost > last) gaps.push([last, lost]);
  return gaps;
}

/** The gap in which a place lies. */
export function gapAt(gaps: readonly Gap[], place: number): Gap | null {
  let low = 0;
  let high = gaps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((gaps[middle]?.[1] ?? 0) <= place) low = middle + 1;
    else high = middle;
  }
  const found = gaps[low];
  return found && found[0] < place ? found : null;
}

/** How many of the late points lie in a range; a stretch counts where it reaches into it. */
export function lateIn(late: LatePoints, range: readonly [number, number] | null): number {
  if (!range) return late.count;
  return late.stretches.reduce(
    (sum, [from, to, count]) => (to >= range[0] && from <= range[1] ? sum + count : sum),
    0,
  );
}
