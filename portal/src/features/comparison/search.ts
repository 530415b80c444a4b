/** What the compare page keeps in its address; saved comparisons keep the same. */

import * as v from "valibot";
import { bands, centers, mostMetrics } from "./groups";

export const compareTabs = [
  "metrics",
  "charts",
  "groups",
  "relations",
  "telemetry",
  "params",
  "environment",
  "files",
] as const;
export type CompareTab = (typeof compareTabs)[number];

/** How many runs stand side by side at most, as the server has it. */
export const mostRuns = 100;

const id = v.pipe(v.string(), v.uuid());
const optional = <Schema extends v.GenericSchema>(schema: Schema) =>
  v.optional(v.fallback(v.optional(schema), undefined));

export const compareSearch = {
  runs: optional(v.pipe(v.array(id), v.maxLength(mostRuns))),
  baseline: optional(id),
  tab: optional(v.picklist(compareTabs)),
  /** Rows that are the same in all runs are shown as well. */
  same: optional(v.boolean()),
  hidden: optional(v.array(id)),
  /** Params whose values make groups, what stands for a group, and how far it reaches. */
  by: optional(v.pipe(v.array(v.string()), v.maxLength(5))),
  center: optional(v.picklist(centers)),
  band: optional(v.picklist(bands)),
  /** Metrics that are drawn over groups. */
  drawn: optional(v.pipe(v.array(v.string()), v.maxLength(mostMetrics))),
  /** The metric that params are held against, and what runs along its scatter. */
  metric: optional(v.string()),
  along: optional(v.string()),
  /** Signals that are laid over each other, and the event that stands at 0. */
  signals: optional(v.pipe(v.array(v.string()), v.maxLength(6))),
  align: optional(v.string()),
};

const schema = v.object(compareSearch);
export type CompareSearch = v.InferOutput<typeof schema>;
