import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import {
  getListCaptureEventsQueryKey,
  getListCaptureSessionsQueryKey,
  listCaptureEvents,
  listCaptureSessions,
} from "@/api/generated/capture-sessions/capture-sessions";
import {
  clearBaseline,
  compareRuns,
  compareSeries,
  compareTelemetry,
  correlateParams,
  deleteComparison,
  getBaseline,
  getGetBaselineQueryKey,
  getListComparisonsQueryKey,
  listComparisons,
  saveComparison,
  setBaseline,
} from "@/api/generated/comparisons/comparisons";
import type { Comparison } from "@/api/generated/models/comparison";
import type { NewComparison } from "@/api/generated/models/newComparison";
import type { Track } from "@/api/generated/models/track";
import { idempotent } from "@/api/http";
import { askedFor, type GroupView } from "./groups";

/** Runs side by side, in the order of the ids; null asks for the baseline of their experiment. */
export function comparisonQuery(runIds: readonly string[], baseline: string | null) {
  return queryOptions({
    queryKey: ["/api/v1/comparisons/runs", runIds, baseline],
    queryFn: ({ signal }) =>
      compareRuns({ run_ids: [...runIds], baseline_run_id: baseline }, { signal }),
    placeholderData: keepPreviousData,
  });
}

/** The comparisons that people of the project have kept, the newest first. */
export function savedQuery(projectId: string) {
  return queryOptions({
    queryKey: getListComparisonsQueryKey(projectId),
    queryFn: ({ signal }) => listComparisons(projectId, { limit: 200 }, { signal }),
    select: ({ items }) => items,
  });
}

export function useSavedComparisons(projectId: string) {
  const client = useQueryClient();
  const onSettled = () =>
    client.invalidateQueries({ queryKey: getListComparisonsQueryKey(projectId) });
  return {
    save: useMutation({
      mutationFn: (made: NewComparison) => saveComparison(projectId, made, idempotent()),
      onSettled,
    }),
    remove: useMutation({
      mutationFn: ({ id }: Comparison) => deleteComparison(id),
      onSettled,
    }),
  };
}

/** How the params of runs go with the last values of a metric. */
export function correlationsQuery(runIds: readonly string[], metric: string) {
  return queryOptions({
    queryKey: ["/api/v1/comparisons/correlations", runIds, metric],
    queryFn: ({ signal }) => correlateParams({ run_ids: [...runIds], metric }, { signal }),
    placeholderData: keepPreviousData,
  });
}

/** Metrics over groups of runs. */
export function groupsQuery(runIds: readonly string[], view: GroupView) {
  const asked = askedFor(runIds, view);
  return queryOptions({
    queryKey: ["/api/v1/comparisons/series", asked],
    queryFn: ({ signal }) => compareSeries(asked, { signal }),
    placeholderData: keepPreviousData,
  });
}

export function captureQuery(runId: string) {
  return queryOptions({
    queryKey: getListCaptureSessionsQueryKey(runId),
    queryFn: async ({ signal }) =>
      (await listCaptureSessions(runId, { limit: 1000 }, { signal })).items,
  });
}

export function captureEventsQuery(sessionId: string) {
  return queryOptions({
    queryKey: getListCaptureEventsQueryKey(sessionId),
    queryFn: async ({ signal }) =>
      (await listCaptureEvents(sessionId, { limit: 1000 }, { signal })).items,
  });
}

/** Readings of several capture sessions, each along its own time. */
export function overlayQuery(tracks: readonly Track[]) {
  return queryOptions({
    queryKey: ["/api/v1/comparisons/telemetry", tracks],
    queryFn: ({ signal }) => compareTelemetry({ tracks: [...tracks], points: 2000 }, { signal }),
    placeholderData: keepPreviousData,
  });
}

/** The run that an experiment's runs are compared with, where people have chosen one. */
export function keptBaselineQuery(experimentId: string) {
  return queryOptions({
    queryKey: getGetBaselineQueryKey(experimentId),
    queryFn: ({ signal }) => getBaseline(experimentId, { signal }),
  });
}

/** Keeps a run as the baseline of its experiment; null takes it back. */
export function useKeepBaseline(experimentId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (runId: string | null): Promise<void> => {
      if (runId) await setBaseline(experimentId, { run_id: runId });
      else await clearBaseline(experimentId);
    },
    onSettled: () => client.invalidateQueries({ queryKey: getGetBaselineQueryKey(experimentId) }),
  });
}
