import { lazy } from "react";
import type { RunsCharts as Slot } from "@/features/runs/drawn";

const Charts = lazy(() => import("@/features/metrics/components/RunsCharts"));

/** Charts for the place beside a table of runs, fetched when that place is shown. */
export function runsCharts(slot: Slot) {
  return <Charts {...slot} />;
}
