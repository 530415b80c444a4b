/** Which columns a runs table has: chosen in the address, or found in the runs themselves. */

import type { Run } from "@/api/generated/models/run";

/** Attributes by name; `params.lr` and `metrics.loss` by key. */
export type ColumnId = string;

export const attributes = [
  "status",
  "experiment",
  "created_at",
  "started_at",
  "duration",
  "tags",
  "host",
  "git",
  "source",
] as const;
export type Attribute = (typeof attributes)[number];

export type FoundColumns = {
  /** Parameters whose value is not the same in all runs, then those that are. */
  differing: string[];
  identical: string[];
  metrics: string[];
};

const natural = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const atMost = { params: 5, metrics: 8 };

/** The parameters and metrics that the runs have; each list by how many runs have it, then by name. */
export function foundColumns(runs: readonly Run[]): FoundColumns {
  const params = new Map<string, { count: number; values: Set<unknown> }>();
  const metrics = new Map<string, number>();
  for (const run of runs) {
    for (const [key, value] of Object.entries(run.params)) {
      const entry = params.get(key) ?? { count: 0, values: new Set() };
      entry.count += 1;
      entry.values.add(value);
      params.set(key, entry);
    }
    for (const key of Object.keys(run.metrics)) metrics.set(key, (metrics.get(key) ?? 0) + 1);
  }
  const ranked = [...params].sort(
    ([a, { count: x }], [b, { count: y }]) => y - x || natural.compare(a, b),
  );
  const differs = ({ count, values }: { count: number; values: Set<unknown> }) =>
    runs.length > 1 && (values.size > 1 || count < runs.length);
  return {
    differing: ranked.filter(([, entry]) => differs(entry)).map(([key]) => key),
    identical: ranked.filter(([, entry]) => !differs(entry)).map(([key]) => key),
    metrics: [...metrics]
      .sort(([a, x], [b, y]) => y - x || natural.compare(a, b))
      .map(([key]) => key),
  };
}

/** The columns when nobody has chosen: what tells the runs apart, and how they did. */
export function automaticColumns(
  runs: readonly Run[],
  found: FoundColumns,
  withExperiment: boolean,
): ColumnId[] {
  // A single run differs from nothing, so all its parameters tell what it is.
  const params = runs.length > 1 ? found.differing : found.identical;
  return [
    "status",
    ...(withExperiment ? ["experiment"] : []),
    "created_at",
    "duration",
    ...params.slice(0, atMost.params).map((key) => `params.${key}`),
    ...found.metrics.slice(0, atMost.metrics).map((key) => `metrics.${key}`),
    ...(runs.some(({ tags }) => Object.keys(tags).length > 0) ? ["tags"] : []),
  ];
}

/** The field that the server sorts by, or nothing for a column without an order. */
export function sortKeyOf(column: ColumnId): string | undefined {
  if (column.startsWith("params.") || column.startsWith("metrics.")) return column;
  const keys: Record<string, string> = {
    name: "name",
    status: "status",
    created_at: "created_at",
    started_at: "started_at",
    duration: "duration_seconds",
  };
  return keys[column];
}

/** `params.lr` → `lr`; the key of a parameter or metric. */
export function keyOf(column: ColumnId): string {
  return column.replace(/^(params|metrics)\./, "");
}

/** Pixels that suit a column's content. */
export function widthOf(column: ColumnId): number {
  const widths: Record<string, number> = {
    name: 208,
    status: 118,
    experiment: 148,
    created_at: 122,
    started_at: 122,
    duration: 118,
    tags: 190,
    host: 130,
    git: 150,
    source: 150,
  };
  return widths[column] ?? Math.min(Math.max(keyOf(column).length * 7 + 30, 84), 210);
}
