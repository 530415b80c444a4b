/** What a runs workspace shows and how: the part of the address that a link carries. */

import * as v from "valibot";
import { RunStatus } from "@/api/generated/models/runStatus";
import { type Chips, chipsOf, nameField, statusField, withChips } from "./chips";
import { conditions, joined, writtenField } from "./language";
import type { RunsAsked } from "./search-api";

export const defaultSort = "-created_at";

export const layouts = ["table", "split", "charts"] as const;
export type Layout = (typeof layouts)[number];

const statuses: ReadonlySet<string> = new Set(Object.values(RunStatus));
const id = v.pipe(v.string(), v.minLength(1), v.maxLength(36));
const ids = v.array(id);
const columns = v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(300)));

const state = {
  /** The search language, as it was typed. */
  filter: v.pipe(v.string(), v.maxLength(8000)),
  archived: v.picklist(["true", "all"] as const),
  /** `-metrics.loss`: fields in the order in which they decide, with a minus for the greatest first. */
  sort: v.array(v.pipe(v.string(), v.maxLength(300))),
  cols: columns,
  widths: v.record(v.string(), v.pipe(v.number(), v.minValue(40), v.maxValue(1200))),
  /** Columns that keep their place beside the name. */
  fixed: columns,
  /** Shows columns too that are equal in all runs. */
  same: v.boolean(),
  group: columns,
  /** Groups that are open, by their key. */
  open: v.array(v.string()),
  /** Runs kept on top, and the one that others are measured against. */
  pins: ids,
  base: id,
  selected: ids,
  /** Runs that charts leave out. */
  hidden: ids,
  /** Looks that were picked by hand, as indices of the palette, by run. */
  looks: v.record(id, v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(31))),
  layout: v.picklist(layouts),
  /** The table's share of the width beside the charts, in percent. */
  split: v.pipe(v.number(), v.minValue(15), v.maxValue(85)),
  /** How the charts are looked at; only they know what stands in it. */
  charts: v.record(v.string(), v.unknown()),
};

type State = { [Key in keyof typeof state]: v.InferOutput<(typeof state)[Key]> };
export type Workspace = Partial<State>;

/** The same in an address: `null` takes away what the saved view has. */
export type RunSearch = { [Key in keyof State]?: State[Key] | null } & {
  /** A saved view's id; `none` is the workspace as it comes, also where a view is the default. */
  view?: string;
};

const lenient = <Schema extends v.GenericSchema>(schema: Schema) =>
  v.optional(v.fallback(v.nullish(schema), undefined));

const entries = Object.fromEntries(
  Object.entries(state).map(([key, schema]) => [key, lenient(schema as v.GenericSchema)]),
);

/** What older addresses carry: single filters, and one field to sort by. */
const former = {
  q: lenient(v.string()),
  status: lenient(v.array(v.picklist(Object.values(RunStatus)))),
  tag: lenient(v.array(v.string())),
  sort: lenient(v.union([v.pipe(v.string(), v.maxLength(300)), state.sort])),
};

/** Search parameters; what cannot be read is left out, so that an old link still opens. */
export const runSearch = v.pipe(
  v.object({
    ...entries,
    ...former,
    view: v.optional(v.fallback(v.optional(v.string()), undefined)),
  }),
  v.transform(({ q, status, tag, ...found }): RunSearch => {
    const search = found as RunSearch & { sort?: string | string[] | null };
    if (typeof search.sort === "string")
      search.sort = search.sort === "" ? undefined : [search.sort];
    const chips: Chips = { name: q ?? "", status: status ?? [], tags: tag ?? [] };
    const filter = withChips(search.filter ?? "", chips);
    if (q || status?.length || tag?.length) search.filter = filter;
    return Object.fromEntries(
      Object.entries(search).filter(([, value]) => value !== undefined),
    ) as RunSearch;
  }),
);

const keys = Object.keys(state) as (keyof State)[];
const same = (one: unknown, other: unknown) =>
  one === other || JSON.stringify(one) === JSON.stringify(other);

/** What is shown: the saved view, changed by what stands in the address. */
export function workspaceOf(search: RunSearch, stored: Workspace = {}): Workspace {
  const found: Record<string, unknown> = {};
  for (const key of keys) {
    const value = key in search && search[key] !== undefined ? search[key] : stored[key];
    if (value !== null && value !== undefined) found[key] = value;
  }
  return found;
}

/** The address of a workspace: a saved view's id, and only what is not as in the view. */
export function searchOf(workspace: Workspace, view?: string, stored: Workspace = {}): RunSearch {
  const search: Record<string, unknown> = view === undefined ? {} : { view };
  for (const key of keys) {
    if (same(workspace[key], stored[key])) continue;
    search[key] = workspace[key] ?? null;
  }
  return search;
}

/** What a saved view keeps; what cannot be read in it is left out, as in an address. */
export function storedWorkspace(kept: unknown): Workspace {
  const read = v.safeParse(runSearch, kept ?? {});
  return read.success ? workspaceOf(read.output) : {};
}

/** Whether a saved view was changed since it was opened. */
export function isChanged(search: RunSearch): boolean {
  return keys.some((key) => search[key] !== undefined);
}

/** What a view keeps of a workspace: how runs are looked at, not which of them happen to be chosen. */
export function keptInViews(workspace: Workspace): Workspace {
  const { selected: _chosen, open: _open, ...kept } = workspace;
  return kept;
}

/** The project's or one experiment's runs, or the children of one run. */
export type RunScope = { projectId: string; experimentId?: string; parentRunId?: string };

/** The server's words for a list of runs. `narrowed` is one more condition, of a group. */
export function runParams(scope: RunScope, workspace: Workspace, narrowed = ""): RunsAsked {
  const filter = joined(workspace.filter?.trim() ?? "", narrowed);
  return {
    ...(scope.experimentId ? { experiment_id: scope.experimentId } : {}),
    ...(scope.parentRunId ? { parent_run_id: scope.parentRunId } : {}),
    ...narrowing(filter),
    ...(workspace.archived ? { archived: workspace.archived } : {}),
    ...order(workspace.sort ?? [defaultSort]),
  };
}

/** Plain filters have the short form of lists everywhere, all else needs the language. */
function narrowing(filter: string): Pick<RunsAsked, "filter" | "q" | "status" | "tag"> {
  if (filter === "") return {};
  const chips = chipsOf(filter);
  const plain = chips !== null && withChips("", chips) === filter;
  if (!plain || chips.status.some((one) => !statuses.has(one))) return { filter };
  return {
    ...(chips.name ? { q: chips.name } : {}),
    ...(chips.status.length > 0 ? { status: chips.status as RunStatus[] } : {}),
    ...(chips.tags.length > 0 ? { tag: chips.tags } : {}),
  };
}

/** One field has the short form of lists everywhere, several need the language's. */
function order(sort: readonly string[]): Pick<RunsAsked, "sort" | "order_by"> {
  const [first = defaultSort, ...others] = sort;
  if (others.length === 0 && !first.includes("tags.")) return { sort: first };
  return { order_by: sort.map(orderBy) };
}

/** `-metrics.val/loss` → `metrics."val/loss" desc`. */
export function orderBy(sort: string): string {
  const [field, way] = sort.startsWith("-") ? [sort.slice(1), "desc"] : [sort, "asc"];
  const known = /^(params|metrics|tags)\./.test(field) ? field : `attributes.${field}`;
  return `${writtenField(known)} ${way}`;
}

/** Whether anything narrows the list; the order and the columns do not. */
export function isFiltered({ filter, archived }: Workspace): boolean {
  return Boolean(filter?.trim() || archived);
}

/**
 * What a click on a column's head asks for next: first the order that people look for (newest, longest and
 * largest first, names from A), then the other one, then none. `added` keeps the fields that decide before.
 */
export function nextSort(
  key: string,
  current: readonly string[],
  added = false,
): string[] | undefined {
  const downFirst = key !== "name" && key !== "status" && !/^(params|tags)\./.test(key);
  const [first, second] = downFirst ? [`-${key}`, key] : [key, `-${key}`];
  const now = current.find((one) => one === first || one === second);
  const next = now === undefined ? first : now === first ? second : undefined;
  if (!added) return next === undefined ? undefined : [next];
  const others = current.flatMap((one) => (one !== now ? [one] : next ? [next] : []));
  const all = now === undefined ? [...others, first] : others;
  return all.length > 0 ? all : undefined;
}

/** Whether a run would be in the list, as far as it can be told here; the server decides on asking. */
export function mayBelong(
  scope: RunScope,
  workspace: Workspace,
  run: { name: string; status: string; experiment_id: string; parent_run_id: string | null } & {
    archived_at: string | null;
  },
): boolean {
  if (scope.experimentId && run.experiment_id !== scope.experimentId) return false;
  if (scope.parentRunId && run.parent_run_id !== scope.parentRunId) return false;
  const archived = run.archived_at !== null;
  if (workspace.archived !== "all" && archived !== (workspace.archived === "true")) return false;
  return (conditions(workspace.filter ?? "") ?? []).every(({ field, operator, values }) => {
    if (field === statusField && ["=", "in"].includes(operator)) return values.includes(run.status);
    if (field === nameField && operator === "ilike") {
      const part = (values[0] ?? "").replace(/^%|%$/g, "").toLowerCase();
      return run.name.toLowerCase().includes(part);
    }
    return true;
  });
}
