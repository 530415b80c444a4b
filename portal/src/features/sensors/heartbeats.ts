/** The minutes in which a sensor sent, gathered into cells of equal width. */

import type { TelemetryIngestHeartbeat } from "@/api/generated/models/telemetryIngestHeartbeat";

export type Cell = {
  /** Milliseconds since 1970. */
  from: number;
  /** Minutes in which it sent. */
  minutes: number;
  readings: number;
  /** The longest time from a reading to its receipt, in seconds. */
  longestWay: number;
};

/** `count` cells of `width` minutes up to `now`, the last one with the minute that is not over. */
export function cellsOf(
  beats: readonly TelemetryIngestHeartbeat[],
  now: number,
  width: number,
  count: number,
): Cell[] {
  const size = width * 60_000;
  const end = (Math.floor(now / 60_000) + 1) * 60_000;
  const begin = end - count * size;
  const cells = Array.from({ length: count }, (_, index) => ({
    from: begin + index * size,
    minutes: 0,
    readings: 0,
    longestWay: 0,
  }));
  for (const { minute, readings, max_latency_us } of beats) {
    const cell = cells[Math.floor((Date.parse(minute) - begin) / size)];
    if (!cell) continue;
    cell.minutes += 1;
    cell.readings += readings;
    cell.longestWay = Math.max(cell.longestWay, max_latency_us / 1e6);
  }
  return cells;
}
