/** What the compare page keeps in its address; saved comparisons keep the same. */

import * as v from "valibot";

export const compareTabs = ["metrics", "charts", "params", "environment", "files"] as const;
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
};

const schema = v.object(compareSearch);
export type CompareSearch = v.InferOutput<typeof schema>;
