import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import {
  compareRuns,
  deleteComparison,
  getListComparisonsQueryKey,
  listComparisons,
  saveComparison,
} from "@/api/generated/comparisons/comparisons";
import type { Comparison } from "@/api/generated/models/comparison";
import type { NewComparison } from "@/api/generated/models/newComparison";
import { idempotent } from "@/api/http";

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
