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
  listRuns,
  restoreRun,
  tagRuns,
} from "@/api/generated/runs/runs";
import { ifVersion } from "@/api/http";
import { invalidatePath } from "@/api/invalidate";
import { type RunScope, type RunSearch, runParams } from "./filter";

const pageSize = 200;

/** The runs of a scope in the order and choice of the address, by the server, page after page. */
export function runsQuery(scope: RunScope, search: RunSearch) {
  const params = runParams(scope, search);
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
