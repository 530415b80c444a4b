/** What the audit is filtered by, as it stands in the address of its page. */

import * as v from "valibot";
import type { ListAuditParams } from "@/api/generated/models/listAuditParams";

const short = v.optional(v.pipe(v.string(), v.maxLength(200)));
const day = v.optional(v.pipe(v.string(), v.isoDate()));

export const auditSearch = v.object({
  action: v.optional(v.pipe(v.string(), v.maxLength(60))),
  result: v.optional(v.picklist(["success", "failure", "denied"])),
  by: v.optional(v.pipe(v.string(), v.uuid())),
  target: short,
  from: day,
  to: day,
  q: short,
});

export type AuditSearch = v.InferOutput<typeof auditSearch>;

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

function moment(date: string, daysLater: number): string {
  const start = new Date(`${date}T00:00:00`);
  start.setDate(start.getDate() + daysLater);
  return start.toISOString();
}
