import { expect, test } from "vitest";
import { cellsOf } from "./heartbeats";

const beat = (minute: string, readings = 600, max_latency_us = 40_000) => ({
  minute: `2026-11-22T${minute}:00.000000Z`,
  readings,
  batches: 6,
  max_latency_us,
});

test("minutes are gathered up to the one that is not over; a cell keeps its longest way", () => {
  const now = Date.parse("2026-11-22T09:59:30Z");
  const beats = [beat("08:59"), beat("09:00"), beat("09:58", 10, 2_500_000), beat("09:59", 5)];
  const minutes = cellsOf(beats, now, 1, 60);
  expect(minutes).toHaveLength(60);
  expect(minutes[0]).toMatchObject({ minutes: 1, readings: 600 });
  expect(minutes[1]?.minutes).toBe(0);
  expect(minutes.at(-1)).toMatchObject({ minutes: 1, readings: 5 });
  const wide = cellsOf(beats, now, 15, 96);
  expect(wide.at(-1)).toMatchObject({ minutes: 2, readings: 15, longestWay: 2.5 });
});
