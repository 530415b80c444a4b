/** Several runs as one line with a band: what they did in the same stretches of the axis. */

import type { Curve, Range } from "./axis";

/** A run's points summed up in those stretches where it has any; `x` is where each begins. */
export type Bucketed = {
  x: number[];
  count: number[];
  min: number[];
  max: number[];
  mean: number[];
};

export const bandKinds = ["std", "range", "none"] as const;
/** Mean ± standard deviation over the runs, their lowest and highest value, or no band. */
export type BandKind = (typeof bandKinds)[number];

export type Banded = Curve & { band?: { low: number[]; high: number[] }; points: number };

type Stretch = { count: number; means: number[]; least: number; most: number };

/**
 * The mean of the runs' means in each stretch that any of them reached, and how far the runs lie apart: each
 * run weighs the same, however often it logged. The runs' stretches have the same edges. What is not finite
 * counts for no run.
 */
export function banded(runs: readonly Bucketed[], kind: BandKind): Banded {
  const stretches = new Map<number, Stretch>();
  for (const run of runs) {
    for (const [index, place] of run.x.entries()) {
      let stretch = stretches.get(place);
      if (!stretch) {
        stretch = {
          count: 0,
          means: [],
          least: Number.POSITIVE_INFINITY,
          most: Number.NEGATIVE_INFINITY,
        };
        stretches.set(place, stretch);
      }
      stretch.count += run.count[index] ?? 0;
      const mean = run.mean[index] ?? Number.NaN;
      if (!Number.isFinite(mean)) continue;
      stretch.means.push(mean);
      stretch.least = Math.min(stretch.least, run.min[index] ?? mean);
      stretch.most = Math.max(stretch.most, run.max[index] ?? mean);
    }
  }
  const result: Banded = { x: [], y: [], points: 0 };
  const low: number[] = [];
  const high: number[] = [];
  for (const [place, { count, means, least, most }] of [...stretches].sort(([a], [b]) => a - b)) {
    result.points += count;
    if (means.length === 0) continue;
    const mean = means.reduce((sum, one) => sum + one, 0) / means.length;
    const spread = deviation(means, mean);
    result.x.push(place);
    result.y.push(mean);
    low.push(kind === "range" ? least : mean - spread);
    high.push(kind === "range" ? most : mean + spread);
  }
  if (kind !== "none") result.band = { low, high };
  return result;
}

/** Of a sample, so divided by one less than there are; 0 for a single run. */
function deviation(values: readonly number[], mean: number): number {
  if (values.length < 2) return 0;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

/** The lowest and highest of each point and its neighbours: where a picture's missing points lie at most. */
export function envelope(y: readonly number[]): { low: number[]; high: number[] } {
  const low: number[] = [];
  const high: number[] = [];
  for (let index = 0; index < y.length; index++) {
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    for (let near = Math.max(0, index - 1); near <= index + 1 && near < y.length; near++) {
      const value = y[near] ?? Number.NaN;
      if (!Number.isFinite(value)) continue;
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
    low.push(least <= most ? least : Number.NaN);
    high.push(least <= most ? most : Number.NaN);
  }
  return { low, high };
}

/** A group's line, fine inside the range and coarse outside of it. */
export function spliced(whole: Banded, detail: Banded | null, range: Range | null): Banded {
  if (!detail || !range) return whole;
  const result: Banded = { x: [], y: [], points: detail.points };
  const low: number[] = [];
  const high: number[] = [];
  const take = (from: Banded, keep: (place: number) => boolean) => {
    for (const [index, place] of from.x.entries()) {
      if (!keep(place)) continue;
      result.x.push(place);
      result.y.push(from.y[index] ?? Number.NaN);
      low.push(from.band?.low[index] ?? Number.NaN);
      high.push(from.band?.high[index] ?? Number.NaN);
    }
  };
  take(whole, (place) => place < range[0]);
  take(detail, (place) => place >= range[0] && place <= range[1]);
  take(whole, (place) => place > range[1]);
  if (whole.band) result.band = { low, high };
  return result;
}
