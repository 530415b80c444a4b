import { infiniteQueryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import type { NewToken } from "@/api/generated/models/newToken";
import {
  createToken,
  getListOwnTokensQueryKey,
  getListProjectTokensQueryKey,
  listOwnTokens,
  listProjectTokens,
  revokeToken,
} from "@/api/generated/tokens/tokens";
import { idempotent } from "@/api/http";
import { invalidatePath } from "@/api/invalidate";

const limit = 100;

/** Owners see every token of the project, others their own. */
export function projectTokensQuery(projectId: string) {
  return infiniteQueryOptions({
    queryKey: [...getListProjectTokensQueryKey(projectId), "pages"],
    queryFn: ({ pageParam, signal }) =>
      listProjectTokens(projectId, { limit, cursor: pageParam ?? undefined }, { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });
}

export const myTokensQuery = infiniteQueryOptions({
  queryKey: [...getListOwnTokensQueryKey(), "pages"],
  queryFn: ({ pageParam, signal }) =>
    listOwnTokens({ limit, cursor: pageParam ?? undefined }, { signal }),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.next_cursor,
});

export function useCreateToken(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ key, token }: { key: string; token: NewToken }) =>
      createToken(projectId, token, idempotent(key)),
    onSuccess: () =>
      invalidatePath(client, `/api/v1/projects/${projectId}/tokens`, "/api/v1/tokens"),
    // The answer holds the secret; it goes with the component that shows it.
    gcTime: 0,
  });
}

export function useRevokeToken() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (tokenId: string) => revokeToken(tokenId),
    onSettled: () => invalidatePath(client, "/api/v1/projects", "/api/v1/tokens"),
  });
}
