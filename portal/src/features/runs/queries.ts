import {
  type InfiniteData,
  infiniteQueryOptions,
  keepPreviousData,
  type QueryClient,
  queryOptions,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import type { PageRun } from "@/api/generated/models/pageRun";
import type { Run } from "@/api/generated/models/run";
import type { RunChange } from "@/api/generated/models/runChange";
import type { RunStatus } from "@/api/generated/models/runStatus";
import {
  archiveRun,
  changeRun,
  changeRunStatuses,
  getGetRunQueryKey,
  getListRunsQueryKey,
  getRun,
  restoreRun,
  tagRuns,
} from "@/api/generated/runs/runs";
import { ifVersion } from "@/api/http";
import { invalidatePath } from "@/api/invalidate";
import { writtenValue } from "./language";
import {
  changeView,
  createView,
  deleteView,
  type FieldKind,
  fieldsPath,
  getView,
  groupRuns,
  groupsPath,
  listFields,
  listFieldValues,
  listRuns,
  listViews,
  type View,
  type ViewChange,
  viewPath,
  viewsPath,
} from "./search-api";
import { type RunScope, runParams, type Workspace } from "./workspace";

const pageSize = 200;

/**
 * The runs of a scope in the order and choice of a workspace, by the server, page after page. `narrowed` is
 * one more condition, such as a group's.
 */
export function runsQuery(scope: RunScope, workspace: Workspace, narrowed?: string) {
  const params = runParams(scope, workspace, narrowed);
  return infiniteQueryOptions({
    queryKey: [...getListRunsQueryKey(scope.projectId), "pages", params],
    queryFn: ({ pageParam, signal }) =>
      listRuns(
        scope.projectId,
        { ...params, limit: pageSize, cursor: pageParam ?? undefined },
        { signal },
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  });
}

/** Single runs by their ids, wherever they stand in the list or whether it has them at all. */
export function runsByIdQuery(projectId: string, ids: readonly string[]) {
  const sorted = [...ids].sort();
  return queryOptions({
    queryKey: [...getListRunsQueryKey(projectId), "by-id", sorted],
    queryFn: async ({ signal }) => {
      const filter = `attributes.run_id in (${sorted.map(writtenValue).join(", ")})`;
      const params = { filter, archived: "all", limit: sorted.length } as const;
      return (await listRuns(projectId, params, { signal })).items;
    },
    enabled: sorted.length > 0,
    placeholderData: keepPreviousData,
  });
}

/** The groups of a scope's runs by some fields, with what their metrics were together. */
export function groupsQuery(
  scope: RunScope,
  { filter, archived, group = [] }: Workspace,
  metrics: readonly string[],
) {
  const asked = {
    ...(filter?.trim() ? { filter: filter.trim() } : {}),
    ...(archived ? { archived } : {}),
    ...(scope.experimentId ? { experiment_ids: [scope.experimentId] } : {}),
    by: group,
    metrics: [...metrics],
    limit: 1000,
  };
  return queryOptions({
    queryKey: [groupsPath(scope.projectId), asked],
    queryFn: ({ signal }) => groupRuns(scope.projectId, asked, { signal }),
    enabled: group.length > 0,
    placeholderData: keepPreviousData,
  });
}

/** The first runs of a group, by the condition that its members meet. */
export function groupMembersQuery(
  scope: RunScope,
  workspace: Workspace,
  condition: string,
  limit: number,
) {
  const params = { ...runParams(scope, workspace, condition), limit };
  return queryOptions({
    queryKey: [...getListRunsQueryKey(scope.projectId), "members", params],
    queryFn: ({ signal }) => listRuns(scope.projectId, params, { signal }),
    placeholderData: keepPreviousData,
  });
}

/** What runs can be filtered, shown and grouped by. */
export function fieldsQuery(
  { projectId, experimentId }: RunScope,
  { kind, q = "", limit = 50 }: { kind?: FieldKind; q?: string; limit?: number },
) {
  const asked = { kind, q, experiment_id: experimentId, limit };
  return queryOptions({
    queryKey: [fieldsPath(projectId), asked],
    queryFn: ({ signal }) => listFields(projectId, asked, { signal }),
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });
}

/** The values that a field has, the most frequent first. */
export function fieldValuesQuery({ projectId, experimentId }: RunScope, field: string, q: string) {
  const asked = { field, q, experiment_id: experimentId, limit: 50 };
  return queryOptions({
    queryKey: [fieldsPath(projectId), "values", asked],
    queryFn: ({ signal }) => listFieldValues(projectId, asked, { signal }),
    staleTime: 30_000,
  });
}

/** The saved views that this person can open: the shared ones and their own. */
export function viewsQuery(projectId: string) {
  return queryOptions({
    queryKey: [viewsPath(projectId)],
    queryFn: ({ signal }) => listViews(projectId, { signal }),
  });
}

export function viewQuery(viewId: string) {
  return queryOptions({
    queryKey: [viewPath(viewId)],
    queryFn: ({ signal }) => getView(viewId, { signal }),
    staleTime: 60_000,
  });
}

/** What changes saved views. */
export function useViewChanges(projectId: string) {
  const client = useQueryClient();
  const take = (view: View) => client.setQueryData([viewPath(view.id)], view);
  const again = () => invalidatePath(client, viewsPath(projectId));
  const create = useMutation({
    mutationFn: (view: ViewChange & { name: string }) =>
      createView(projectId, { ...view, kind: "runs" }),
    onSuccess: take,
    onSettled: again,
  });
  const change = useMutation({
    mutationFn: ({ id, ...change }: ViewChange & { id: string }) => changeView(id, change),
    onSuccess: take,
    onSettled: again,
  });
  const remove = useMutation({ mutationFn: deleteView, onSettled: again });
  return { create, change, remove };
}

/** The newest runs of a project; asked again while one of them is running. */
export function latestRunsQuery(projectId: string, limit: number) {
  const params = { limit, sort: "-created_at" };
  return queryOptions({
    queryKey: [...getListRunsQueryKey(projectId), "latest", params],
    queryFn: ({ signal }) => listRuns(projectId, params, { signal }),
    refetchInterval: ({ state }) =>
      state.data?.items.some((run) => run.status === "running") ? 10_000 : false,
  });
}

export function runQuery(runId: string) {
  return queryOptions({
    queryKey: getGetRunQueryKey(runId),
    queryFn: ({ signal }) => getRun(runId, { signal }),
  });
}

/** Forgets all pages of a list but the first, so that asking again is one request and not fifty. */
export function keepFirstPage(client: QueryClient, scope: RunScope, workspace: Workspace): void {
  client.setQueryData<InfiniteData<PageRun, string | null>>(
    runsQuery(scope, workspace).queryKey,
    (data) => data && { pages: data.pages.slice(0, 1), pageParams: data.pageParams.slice(0, 1) },
  );
}

/** Puts newer versions of runs into every list and page that shows them, without moving any. */
export function takeRuns(client: QueryClient, runs: ReadonlyMap<string, Run>): void {
  const [first] = runs.values();
  if (!first) return;
  client.setQueriesData<InfiniteData<PageRun>>(
    { queryKey: [...getListRunsQueryKey(first.project_id), "pages"] },
    (data) =>
      data && {
        ...data,
        pages: data.pages.map((page) =>
          page.items.some(({ id }) => runs.has(id))
            ? { ...page, items: page.items.map((run) => newer(run, runs.get(run.id))) }
            : page,
        ),
      },
  );
  client.setQueriesData<PageRun>(
    { queryKey: [...getListRunsQueryKey(first.project_id), "members"] },
    (page) => page && { ...page, items: page.items.map((run) => newer(run, runs.get(run.id))) },
  );
  client.setQueriesData<Run[]>(
    { queryKey: [...getListRunsQueryKey(first.project_id), "by-id"] },
    (known) => known?.map((run) => newer(run, runs.get(run.id))),
  );
  for (const run of runs.values()) {
    client.setQueryData<Run>(getGetRunQueryKey(run.id), (known) => known && newer(known, run));
  }
}

function newer(known: Run, other: Run | undefined): Run {
  return other && other.version >= known.version ? other : known;
}

function useSettled(projectId: string) {
  const client = useQueryClient();
  return {
    take: (run: Run) => takeRuns(client, new Map([[run.id, run]])),
    again: () =>
      invalidatePath(
        client,
        `/api/v1/projects/${projectId}/runs`,
        groupsPath(projectId),
        `/api/v1/projects/${projectId}/experiments`,
        "/api/v1/runs",
        "/api/v1/experiments",
      ),
  };
}

export function useChangeRun(run: Run) {
  const { take, again } = useSettled(run.project_id);
  return useMutation({
    /** With `version`, the server refuses when somebody else has changed the run since. */
    mutationFn: ({ change, version }: { change: RunChange; version?: number }) =>
      changeRun(run.id, change, version === undefined ? undefined : ifVersion(version)),
    onSuccess: take,
    onSettled: again,
  });
}

export function useArchiveRun(run: Run) {
  const { take, again } = useSettled(run.project_id);
  return useMutation({ mutationFn: () => archiveRun(run.id), onSuccess: take, onSettled: again });
}

export function useRestoreRun(run: Run) {
  const { take, again } = useSettled(run.project_id);
  return useMutation({ mutationFn: () => restoreRun(run.id), onSuccess: take, onSettled: again });
}

export function useBulkTag(projectId: string) {
  const { again } = useSettled(projectId);
  return useMutation({
    mutationFn: (change: { ids: string[]; set?: Record<string, string>; remove?: string[] }) =>
      tagRuns(projectId, { run_ids: change.ids, set: change.set, remove: change.remove }),
    onSettled: again,
  });
}

export function useBulkStatus(projectId: string) {
  const { again } = useSettled(projectId);
  return useMutation({
    mutationFn: ({ ids, status }: { ids: string[]; status: RunStatus }) =>
      changeRunStatuses(projectId, { run_ids: ids, status }),
    onSettled: again,
  });
}

/** Brings archived runs back one by one, a few at a time: the API has no bulk restore. */
export function useRestoreRuns(projectId: string) {
  const { again } = useSettled(projectId);
  return useMutation({
    mutationFn: async (ids: string[]) => {
      const waiting = [...ids];
      const worker = async () => {
        for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) await restoreRun(id);
      };
      await Promise.all(Array.from({ length: 4 }, worker));
    },
    onSettled: again,
  });
}
