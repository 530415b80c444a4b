import { infiniteQueryOptions } from "@tanstack/react-query";
import {
  getExportAuditUrl,
  getListAuditQueryKey,
  listAudit,
} from "@/api/generated/administration/administration";
import {
  getExportProjectAuditUrl,
  getListProjectAuditQueryKey,
  listProjectAudit,
} from "@/api/generated/projects/projects";
import type { AuditFilter } from "./filter";

const limit = 100;

export type AuditFormat = "csv" | "jsonl";

export function projectAuditQuery(projectId: string, filter: AuditFilter) {
  return infiniteQueryOptions({
    queryKey: [...getListProjectAuditQueryKey(projectId), filter],
    queryFn: ({ pageParam, signal }) =>
      listProjectAudit(projectId, { ...filter, limit, cursor: pageParam ?? undefined }, { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });
}

/** What happened on the whole platform; administrators only. */
export function platformAuditQuery(filter: AuditFilter) {
  return infiniteQueryOptions({
    queryKey: [...getListAuditQueryKey(), filter],
    queryFn: ({ pageParam, signal }) =>
      listAudit({ ...filter, limit, cursor: pageParam ?? undefined }, { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });
}

/** Where the same as a file is. */
export function projectAuditFile(projectId: string, filter: AuditFilter, format: AuditFormat) {
  return getExportProjectAuditUrl(projectId, { ...filter, format });
}

export function platformAuditFile(filter: AuditFilter, format: AuditFormat) {
  return getExportAuditUrl({ ...filter, format });
}
