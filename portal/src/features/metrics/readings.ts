/** What stands under a chart's cursor, told to those who show it without drawing the rest again. */

import { useSyncExternalStore } from "react";

export type Reading = {
  x: number;
  /** By line, in their order: as logged, as smoothed, or `null` where a line has no point. */
  values: { raw: number | null; smooth: number | null }[];
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
