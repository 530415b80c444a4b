/** Which columns a runs table has: chosen in the address, or found in the runs themselves. */

import type { ParamValue } from "@/api/generated/models/paramValue";
import type { Run } from "@/api/generated/models/run";

/** Attributes by name; `params.lr`, `metrics.loss` and `tags.rig` by key. */
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
  /** Parameters whose value is not the same in all runs. */
  differing: string[];
  /** Those that are, with the value that all have. */
  identical: string[];
  equal: ReadonlyMap<string, ParamValue>;
  metrics: string[];
  tags: string[];
};

const natural = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const atMost = { params: 8, metrics: 10 };

type Param = { count: number; value: ParamValue; differs: boolean };
type Summary = {
  params: Map<string, Param>;
  metrics: Map<string, number>;
  tags: Map<string, number>;
};

const summaries = new WeakMap<readonly Run[], Summary>();

/** What a page of runs has. Pages that have not changed are not looked at again. */
function summaryOf(runs: readonly Run[]): Summary {
  const known = summaries.get(runs);
  if (known) return known;
  const summary: Summary = { params: new Map(), metrics: new Map(), tags: new Map() };
  for (const run of runs) {
    for (const [key, value] of Object.entries(run.params)) {
      add(summary.params, key, { count: 1, value, differs: false });
    }
    for (const key in run.metrics) count(summary.metrics, key, 1);
    for (const key in run.tags) count(summary.tags, key, 1);
  }
  summaries.set(runs, summary);
  return summary;
}

function add(params: Map<string, Param>, key: string, other: Param): void {
  const param = params.get(key);
  if (param) {
    param.count += other.count;
    param.differs ||= other.differs || param.value !== other.value;
  } else {
    params.set(key, { ...other });
  }
}

function count(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

/** The keys that the runs of some pages have; each list by how many runs have it, then by name. */
export function foundColumns(pages: readonly (readonly Run[])[]): FoundColumns {
  const params = new Map<string, Param>();
  const metrics = new Map<string, number>();
  const tags = new Map<string, number>();
  let total = 0;
  for (const page of pages) {
    total += page.length;
    const summary = summaryOf(page);
    for (const [key, param] of summary.params) add(params, key, param);
    for (const [key, by] of summary.metrics) count(metrics, key, by);
    for (const [key, by] of summary.tags) count(tags, key, by);
  }
  const differs = (key: string) => {
    const param = params.get(key);
    return param !== undefined && total > 1 && (param.differs || param.count < total);
  };
  const ranked = byFrequency(new Map([...params].map(([key, param]) => [key, param.count])));
  const identical = ranked.filter((key) => !differs(key));
  return {
    differing: ranked.filter(differs),
    identical,
    equal: new Map(identical.map((key) => [key, params.get(key)?.value ?? ""])),
    metrics: byFrequency(metrics),
    tags: byFrequency(tags),
  };
}

function byFrequency(counts: ReadonlyMap<string, number>): string[] {
  return [...counts].sort(([a, x], [b, y]) => y - x || natural.compare(a, b)).map(([key]) => key);
}

/** The columns when nobody has chosen: what tells the runs apart, and how they did. */
export function automaticColumns(
  found: FoundColumns,
  { withExperiment, single, same }: { withExperiment: boolean; single: boolean; same: boolean },
): ColumnId[] {
  // A single run differs from nothing, so all its parameters tell what it is.
  const params = single ? found.identical : found.differing;
  return [
    "status",
    ...(withExperiment ? ["experiment"] : []),
    "created_at",
    "duration",
    ...params.slice(0, atMost.params).map((key) => `params.${key}`),
    ...(same && !single ? found.identical.map((key) => `params.${key}`) : []),
    ...found.metrics.slice(0, atMost.metrics).map((key) => `metrics.${key}`),
    ...(found.tags.length > 0 ? ["tags"] : []),
  ];
}

/** The field that the server sorts by, or nothing for a column without an order. */
export function sortKeyOf(column: ColumnId): string | undefined {
  if (/^(params|metrics|tags)\./.test(column)) return column;
  const keys: Record<string, string> = {
    name: "name",
    status: "status",
    created_at: "created_at",
    started_at: "started_at",
    duration: "duration_seconds",
  };
  return keys[column];
}

/** `params.lr` → `lr`; the key of a parameter, metric or tag. */
export function keyOf(column: ColumnId): string {
  return column.replace(/^(params|metrics|tags)\./, "");
}

/** Pixels that suit a column's content. */
export function widthOf(column: ColumnId): number {
  const widths: Record<string, number> = {
    name: 272,
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
  return widths[column] ?? Math.min(Math.max(keyOf(column).length * 7 + 44, 96), 210);
}

/** Columns in another order: one moved to the place of another. */
export function moved(columns: readonly ColumnId[], column: ColumnId, to: number): ColumnId[] {
  const next = columns.filter((one) => one !== column);
  next.splice(Math.max(0, to), 0, column);
  return next;
}
