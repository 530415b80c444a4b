/** The filters of the address as the API takes them. */

import type { ListAuditParams } from "@/api/generated/models/listAuditParams";
import type { AuditSearch } from "./search";

export type AuditFilter = Omit<ListAuditParams, "limit" | "cursor">;

/** As the API takes it; days are those of whoever looks, the last one whole. */
export function asFilter({ action, result, by, target, from, to, q }: AuditSearch): AuditFilter {
  return {
    action,
    result,
    actor_id: by,
    target_id: target,
    since: from ? moment(from, 0) : undefined,
    until: to ? moment(to, 1) : undefined,
    q: q || undefined,
  };
}

function moment(date: string, daysLater: number): string | undefined {
  const start = new Date(`${date}T00:00:00`);
  if (Number.isNaN(start.getTime())) return undefined;
  start.setDate(start.getDate() + daysLater);
  return start.toISOString();
}
