/** Curves of groups of runs, as lines with bands. */

import type { ComparedSeries } from "@/api/generated/models/comparedSeries";
import type { GroupCurve } from "@/api/generated/models/groupCurve";
import type { SeriesComparison } from "@/api/generated/models/seriesComparison";
import type { Line, PointAxis } from "@/charts/axis";

export const centers = ["mean", "median"] as const;
export const bands = ["std", "minmax", "none"] as const;
/** As many metrics as one request carries. */
export const mostMetrics = 24;

export type GroupView = {
  by: readonly string[];
  center: (typeof centers)[number];
  band: (typeof bands)[number];
  axis: PointAxis;
  metrics: readonly string[];
};

export function askedFor(runIds: readonly string[], view: GroupView): SeriesComparison {
  return {
    run_ids: [...runIds],
    metrics: [...view.metrics],
    x: view.axis,
    points: 300,
    group_by: [...view.by],
    center: view.center,
    band: view.band,
  };
}

/** `optimizer=adam · lr=0.1`; the words for a group of all runs come from outside. */
export function labelOf(group: GroupCurve, all: string): string {
  const parts = Object.entries(group.label).map(([key, value]) => `${key}=${String(value)}`);
  return parts.join(" · ") || all;
}

const number = (value: unknown) => (typeof value === "number" ? value : Number.NaN);

/** A line a group; the same group has the same look in every chart. */
export function linesOf(
  metric: ComparedSeries["metrics"][number],
  axis: PointAxis,
  looks: ReadonlyMap<string, number>,
  all: string,
): Line[] {
  const x = axis === "step" ? metric.x : metric.x.map((place) => place / 1e6);
  return metric.groups.map((group) => {
    const label = labelOf(group, all);
    return {
      id: label,
      label: `${label} (${group.run_ids.length})`,
      look: looks.get(label) ?? 0,
      metric: metric.key,
      x,
      y: group.center.map(number),
      band: { low: group.low.map(number), high: group.high.map(number) },
    };
  });
}

/** A look for each group, in the order in which they come. */
export function looksOf(series: ComparedSeries, all: string): Map<string, number> {
  const looks = new Map<string, number>();
  for (const metric of series.metrics) {
    for (const group of metric.groups) {
      const label = labelOf(group, all);
      if (!looks.has(label)) looks.set(label, looks.size);
    }
  }
  return looks;
}
