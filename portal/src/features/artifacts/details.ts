/** What is said of a file beside its content: its description, its approval, and which runs used it. */

import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import {
  approveArtifact,
  changeArtifact,
  getArtifactDetails,
  getGetArtifactDetailsQueryKey,
  getListInputsQueryKey,
  getListUsesQueryKey,
  listInputs,
  listUses,
  withdrawApproval,
} from "@/api/generated/artifacts/artifacts";
import { getListMembersQueryKey, listMembers } from "@/api/generated/members/members";
import { getGetRunQueryKey, getRun } from "@/api/generated/runs/runs";
import { invalidatePath } from "@/api/invalidate";

export function detailsQuery(artifactId: string) {
  return queryOptions({
    queryKey: getGetArtifactDetailsQueryKey(artifactId),
    queryFn: ({ signal }) => getArtifactDetails(artifactId, { signal }),
  });
}

/** The runs that used a file, the last first. */
export function usesQuery(artifactId: string) {
  return queryOptions({
    queryKey: getListUsesQueryKey(artifactId),
    queryFn: async ({ signal }) => (await listUses(artifactId, { signal })).items,
  });
}

/** The files that a run used. */
export function inputsQuery(runId: string) {
  return queryOptions({
    queryKey: getListInputsQueryKey(runId),
    queryFn: async ({ signal }) => (await listInputs(runId, { signal })).items,
  });
}

/** A run that is named by its id. */
export function namedRunQuery(runId: string) {
  return queryOptions({
    queryKey: getGetRunQueryKey(runId),
    queryFn: ({ signal }) => getRun(runId, { signal }),
    staleTime: 60_000,
  });
}

/** Names of a project's members by their ids. */
export function namesQuery(projectId: string) {
  return queryOptions({
    queryKey: getListMembersQueryKey(projectId),
    queryFn: async ({ signal }) =>
      (await listMembers(projectId, { limit: 1000 }, { signal })).items,
    select: (members) => new Map(members.map(({ user_id, name }) => [user_id, name])),
  });
}

/** Changes of what is said of a file; lists that show it are asked for again. */
export function useDetailChanges(runId: string, artifactId: string) {
  const client = useQueryClient();
  const onSettled = () =>
    invalidatePath(client, `/api/v1/artifacts/${artifactId}`, `/api/v1/runs/${runId}/artifacts`);
  const describe = useMutation({
    mutationFn: (description: string) => changeArtifact(artifactId, { description }),
    onSettled,
  });
  const approve = useMutation({
    mutationFn: (approval: { sha256: string; note: string }) =>
      approveArtifact(artifactId, approval),
    onSettled,
  });
  const withdraw = useMutation({ mutationFn: () => withdrawApproval(artifactId), onSettled });
  return { describe, approve, withdraw };
}
