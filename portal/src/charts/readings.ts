/** What stands under a chart's cursor, told to those who show it without drawing the rest again. */

import { useSyncExternalStore } from "react";

/** What one line says at the cursor: its point there, or the nearest one. */
export type Read = {
  x: number;
  /** As logged; on a line that is a mean of runs, their mean. */
  raw: number;
  smooth: number | null;
  /** What is known around it. */
  low: number | null;
  high: number | null;
  /** How long there is no data around the place; `x` is the place itself then. */
  gap?: number;
  /** The point came after its time. */
  late?: boolean;
  /** Why it has no value. */
  reason?: string;
};

export type Reading = {
  x: number;
  /** By line, in their order; `null` where a line has no point. */
  values: (Read | null)[];
  /** The line nearest to the pointer. */
  nearest: number | null;
  /** Where the cursor stands in the plot, in CSS pixels; `null` when another chart's cursor moved this one. */
  at: { left: number; top: number; width: number } | null;
};

export class Readings {
  private current: Reading | null = null;
  private readonly listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly get = (): Reading | null => this.current;

  set(reading: Reading | null): void {
    if (reading === this.current) return;
    this.current = reading;
    for (const listener of this.listeners) listener();
  }
}

export function useReading(readings: Readings): Reading | null {
  return useSyncExternalStore(readings.subscribe, readings.get);
}
