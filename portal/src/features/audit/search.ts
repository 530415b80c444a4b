/** What the audit is filtered by, as it stands in the address of its page: on the first page, so short. */

import * as v from "valibot";

const short = v.optional(v.pipe(v.string(), v.maxLength(200)));

export const auditSearch = v.object({
  action: short,
  result: v.optional(v.picklist(["success", "failure", "denied"])),
  by: short,
  target: short,
  from: short,
  to: short,
  q: short,
});

export type AuditSearch = v.InferOutput<typeof auditSearch>;
