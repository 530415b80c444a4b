import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import * as v from "valibot";
import {
  archiveExperiment,
  changeExperiment,
  createExperiment,
  getExperiment,
  getGetExperimentQueryKey,
  getListExperimentsQueryKey,
  listExperiments,
  restoreExperiment,
} from "@/api/generated/experiments/experiments";
import type { Experiment } from "@/api/generated/models/experiment";
import type { ExperimentChange } from "@/api/generated/models/experimentChange";
import { ExperimentStatus } from "@/api/generated/models/experimentStatus";
import type { NewExperiment } from "@/api/generated/models/newExperiment";
import { idempotent, ifVersion } from "@/api/http";
import { invalidatePath } from "@/api/invalidate";

const optional = <Schema extends v.GenericSchema>(schema: Schema) =>
  v.optional(v.fallback(v.optional(schema), undefined));

/** Search parameters of the list; what cannot be read is left out. */
export const experimentSearch = {
  q: optional(v.pipe(v.string(), v.maxLength(200))),
  status: optional(v.array(v.picklist(Object.values(ExperimentStatus)))),
  tag: optional(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(800)))),
  archived: optional(v.boolean()),
  sort: optional(
    v.picklist(["name", "-name", "created_at", "last_run_at", "-last_run_at"] as const),
  ),
};

const schema = v.object(experimentSearch);
export type ExperimentSearch = v.InferOutput<typeof schema>;

export function experimentsQuery(projectId: string, search: ExperimentSearch) {
  const filter = {
    q: search.q?.trim() || undefined,
    status: search.status?.length ? search.status : undefined,
    tag: search.tag?.length ? search.tag : undefined,
    archived: search.archived ? ("true" as const) : undefined,
    sort: search.sort ?? ("-created_at" as const),
  };
  return infiniteQueryOptions({
    queryKey: [...getListExperimentsQueryKey(projectId), "pages", filter],
    queryFn: ({ pageParam, signal }) =>
      listExperiments(
        projectId,
        { ...filter, limit: 100, cursor: pageParam ?? undefined },
        { signal },
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  });
}

/** How often an empty project looks whether its first run has come, in milliseconds. */
const lookEvery = 5_000;

/** The experiments in which something happened last. */
export function latestExperimentsQuery(projectId: string, limit: number) {
  const params = { limit, sort: "-last_run_at" } as const;
  return queryOptions({
    queryKey: [...getListExperimentsQueryKey(projectId), "latest", params],
    queryFn: ({ signal }) => listExperiments(projectId, params, { signal }),
    refetchInterval: ({ state }) => (state.data?.items.length === 0 ? lookEvery : false),
  });
}

export function experimentQuery(experimentId: string) {
  return queryOptions({
    queryKey: getGetExperimentQueryKey(experimentId),
    queryFn: ({ signal }) => getExperiment(experimentId, { signal }),
  });
}

function useSettled(projectId: string) {
  const client = useQueryClient();
  return {
    take: (experiment: Experiment) =>
      client.setQueryData(getGetExperimentQueryKey(experiment.id), experiment),
    again: () =>
      invalidatePath(
        client,
        `/api/v1/projects/${projectId}/experiments`,
        `/api/v1/projects/${projectId}/runs`,
        "/api/v1/experiments",
      ),
  };
}

export function useCreateExperiment(projectId: string) {
  const { again } = useSettled(projectId);
  return useMutation({
    mutationFn: ({ key, experiment }: { key: string; experiment: NewExperiment }) =>
      createExperiment(projectId, experiment, idempotent(key)),
    onSuccess: again,
  });
}

export function useChangeExperiment(experiment: Experiment) {
  const { take, again } = useSettled(experiment.project_id);
  return useMutation({
    /** With `version`, the server refuses when somebody else has changed the experiment since. */
    mutationFn: ({ change, version }: { change: ExperimentChange; version?: number }) =>
      changeExperiment(
        experiment.id,
        change,
        version === undefined ? undefined : ifVersion(version),
      ),
    onSuccess: take,
    onSettled: again,
  });
}

export function useArchiveExperiment(projectId: string) {
  const { take, again } = useSettled(projectId);
  return useMutation({
    mutationFn: (id: string) => archiveExperiment(id),
    onSuccess: take,
    onSettled: again,
  });
}

export function useRestoreExperiment(projectId: string) {
  const { take, again } = useSettled(projectId);
  return useMutation({
    mutationFn: (id: string) => restoreExperiment(id),
    onSuccess: take,
    onSettled: again,
  });
}
