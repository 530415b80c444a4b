/** Runs in groups: how a group is called, found and opened. */

import type { Run } from "@/api/generated/models/run";
import { joined, writtenField, writtenValue } from "./language";
import type { RunGroup } from "./search-api";

export type TableRow =
  | { kind: "run"; key: string; run: Run }
  | { kind: "group"; key: string; group: RunGroup; open: boolean }
  /** The end of an open group: its members are being fetched, could not be, or there are more. */
  | {
      kind: "rest";
      key: string;
      groupKey: string;
      state: "loading" | "failed" | "more";
      left: number;
    };

/** What tells a group from the others, also in an address. */
export function groupKey(group: Pick<RunGroup, "values">): string {
  return JSON.stringify(group.values);
}

/** The condition that the members of a group meet, in the search language. */
export function conditionOf(by: readonly string[], group: Pick<RunGroup, "values">): string {
  return joined(
    ...by.map((field, at) => {
      const value = group.values[at] ?? null;
      const name = writtenField(field);
      return value === null ? `${name} is null` : `${name} = ${writtenValue(value)}`;
    }),
  );
}

/** A field that runs are grouped by as people read it: its key; attributes by their name. */
export function fieldLabel(field: string): string {
  return field.replace(/^\w+\./, "");
}

/** The groups in the order of one of their metrics or values; the server's order without one. */
export function sortedGroups(
  groups: readonly RunGroup[],
  by: readonly string[],
  sort: readonly string[],
): RunGroup[] {
  const [first = ""] = sort;
  const [field, way] = first.startsWith("-") ? [first.slice(1), -1] : [first, 1];
  const value = (group: RunGroup): string | number | boolean | null => {
    if (field.startsWith("metrics.")) return group.metrics[field.slice(8)]?.mean ?? null;
    const at = by.findIndex((one) => one === field || one === `attributes.${field}`);
    return at < 0 ? null : (group.values[at] ?? null);
  };
  const collator = new Intl.Collator("en", { numeric: true });
  return groups.toSorted((one, other) => {
    const [a, b] = [value(one), value(other)];
    // What has no value comes last, whichever way the rest goes.
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    if (typeof a === "number" && typeof b === "number") return (a - b) * way;
    return collator.compare(String(a), String(b)) * way;
  });
}

/** The field by which the runs of a column's values are grouped; nothing for numbers that are measured. */
export function groupField(column: string): string | undefined {
  if (/^(params|tags)\./.test(column)) return column;
  const fields: Record<string, string> = {
    status: "attributes.status",
    host: "attributes.host",
    source: "attributes.source",
  };
  return fields[column];
}

/** By how many fields runs can be grouped. */
export const groupedAtMost = 10;
