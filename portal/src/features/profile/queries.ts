import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import type { ProfileChange } from "@/api/generated/models/profileChange";
import { changeMe } from "@/api/generated/people/people";
import {
  endSession,
  getListSessionsQueryKey,
  listSessions,
  logOutEverywhere,
} from "@/api/generated/sessions/sessions";
import { sessionQuery } from "@/api/session";

export const sessionsQuery = queryOptions({
  queryKey: getListSessionsQueryKey(),
  queryFn: ({ signal }) => listSessions({ limit: 200 }, { signal }),
});

export function useChangeProfile() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: ProfileChange) => changeMe(change),
    onSuccess: (me) =>
      client.setQueryData(sessionQuery.queryKey, (old) => (old ? { ...old, name: me.name } : old)),
  });
}

export function useRevokeSession() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (sessionId: string) => endSession(sessionId),
    onSettled: () => client.invalidateQueries(sessionsQuery),
  });
}

export function useSignOutEverywhere() {
  return useMutation({ mutationFn: () => logOutEverywhere() });
}
