/** Which runs a table shows and how: the part of the address that a link carries. */

import * as v from "valibot";
import type { ListRunsParams } from "@/api/generated/models/listRunsParams";
import { RunStatus } from "@/api/generated/models/runStatus";

export const runStatuses = Object.values(RunStatus);
export const defaultSort = "-created_at";

export const layouts = ["table", "split", "charts"] as const;
export type Layout = (typeof layouts)[number];

const optional = <Schema extends v.GenericSchema>(schema: Schema) =>
  v.optional(v.fallback(v.optional(schema), undefined));
const id = v.pipe(v.string(), v.minLength(1), v.maxLength(36));

/** Search parameters; what cannot be read is left out, so that an old link still opens. */
export const runSearch = {
  q: optional(v.pipe(v.string(), v.maxLength(200))),
  status: optional(v.array(v.picklist(runStatuses))),
  tag: optional(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(800)))),
  archived: optional(v.picklist(["true", "all"] as const)),
  sort: optional(v.pipe(v.string(), v.maxLength(300))),
  cols: optional(v.array(v.string())),
  layout: optional(v.picklist(layouts)),
  /** The table's share of the width beside the charts, in percent. */
  split: optional(v.pipe(v.number(), v.minValue(15), v.maxValue(85))),
  /** Runs that are chosen for charts and actions. */
  selected: optional(v.array(id)),
  /** Runs that charts leave out. */
  hidden: optional(v.array(id)),
  /** Looks that were picked by hand, as indices of the palette, by run. */
  looks: optional(v.record(id, v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(31)))),
  /** How the charts are looked at; only they know what stands in it. */
  charts: optional(v.record(v.string(), v.unknown())),
};

const schema = v.object(runSearch);
export type RunSearch = v.InferOutput<typeof schema>;

/** The project's or one experiment's runs, or the children of one run. */
export type RunScope = { projectId: string; experimentId?: string; parentRunId?: string };

export function runParams(scope: RunScope, search: RunSearch): ListRunsParams {
  return {
    ...(scope.experimentId ? { experiment_id: scope.experimentId } : {}),
    ...(scope.parentRunId ? { parent_run_id: scope.parentRunId } : {}),
    ...(search.q?.trim() ? { q: search.q.trim() } : {}),
    ...(search.status?.length ? { status: search.status } : {}),
    ...(search.tag?.length ? { tag: search.tag } : {}),
    ...(search.archived ? { archived: search.archived } : {}),
    sort: search.sort ?? defaultSort,
  };
}

/** Whether anything narrows the list; the order and the columns do not. */
export function isFiltered({ q, status, tag, archived }: RunSearch): boolean {
  return Boolean(q?.trim() || status?.length || tag?.length || archived);
}

/**
 * What a click on a column's head asks for next: first the order that people look for (newest, longest and
 * largest first, names from A), then the other one, then none.
 */
export function nextSort(key: string, current: string): string | undefined {
  const downFirst = key !== "name" && key !== "status" && !key.startsWith("params.");
  const [first, second] = downFirst ? [`-${key}`, key] : [key, `-${key}`];
  if (current === first) return second;
  return current === second ? undefined : first;
}
