import { infiniteQueryOptions } from "@tanstack/react-query";
import { getListAuditQueryKey, listAudit } from "@/api/generated/administration/administration";
import { getListProjectAuditQueryKey, listProjectAudit } from "@/api/generated/projects/projects";

const limit = 100;

export type AuditFilter = { action?: string };

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
