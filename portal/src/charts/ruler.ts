/** Two places on the axis between which is measured; all charts of a page share them. */

import { useSyncExternalStore } from "react";
import { type Curve, indexFrom, nearestIndex, type Range } from "./axis";
import type { Gap } from "./gaps";
import { gapAt } from "./gaps";

export type RulerEnd = "a" | "b";

export class Ruler {
  private places: Range | null = null;
  private readonly listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly get = (): Range | null => this.places;

  /** `null` measures no longer. */
  set(places: Range | null): void {
    this.places = places;
    for (const listener of this.listeners) listener();
  }

  /** Begins in the middle thirds of what is in view. */
  begin([from, to]: Range): void {
    const third = (to - from) / 3;
    this.set([from + third, to - third]);
  }

  put(end: RulerEnd, place: number, view: Range): void {
    if (!this.places) this.begin(view);
    const [a, b] = this.places ?? view;
    this.set(end === "a" ? [place, b] : [a, place]);
  }
}

const none = new Ruler();

export function useRuler(ruler: Ruler | undefined): Range | null {
  const { subscribe, get } = ruler ?? none;
  return useSyncExternalStore(subscribe, get);
}

export type Measured = {
  /** At A and at B: the nearest point, `null` in a gap or outside of the line. */
  at: readonly [number | null, number | null];
  min: number;
  max: number;
  mean: number;
  count: number;
};

type MeasuredLine = Curve & { gaps?: readonly Gap[]; coarse?: boolean };

/**
 * What a line is between two places, both included; `null` where it has no value there. The mean is that of the
 * points. Where points are only the extremes of what is stored it is the mean over the time between them.
 */
export function measured(line: MeasuredLine, [one, other]: Range): Measured | null {
  const [from, to] = one <= other ? [one, other] : [other, one];
  const { x, y } = line;
  let [min, max, sum, count] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  let [area, width] = [0, 0];
  let last = -1;
  for (let index = indexFrom(x, from); index < x.length && (x[index] ?? 0) <= to; index++) {
    const value = y[index] ?? Number.NaN;
    if (!Number.isFinite(value)) {
      last = -1;
      continue;
    }
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
    count += 1;
    if (last >= 0) {
      const step = (x[index] ?? 0) - (x[last] ?? 0);
      area += (step * (value + (y[last] ?? value))) / 2;
      width += step;
    }
    last = index;
  }
  if (count === 0) return null;
  const mean = line.coarse && width > 0 ? area / width : sum / count;
  return { at: [valueAt(line, one), valueAt(line, other)], min, max, mean, count };
}

function valueAt({ x, y, gaps = [] }: MeasuredLine, place: number): number | null {
  if (place < (x[0] ?? Number.POSITIVE_INFINITY) || place > (x.at(-1) ?? 0)) return null;
  if (gapAt(gaps, place)) return null;
  const value = y[nearestIndex(x, place)];
  return value !== undefined && Number.isFinite(value) ? value : null;
}
