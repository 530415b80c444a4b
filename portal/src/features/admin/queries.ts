import { infiniteQueryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import {
  activateUser,
  changeUser,
  deactivateUser,
  getListUsersQueryKey,
  listUsers,
  resetPassword,
} from "@/api/generated/administration/administration";
import { invalidatePath } from "@/api/invalidate";

export type UserFilter = { q?: string; status?: "active" | "deactivated" };

const usersPath = "/api/v1/admin/users";

export function usersQuery(filter: UserFilter) {
  return infiniteQueryOptions({
    queryKey: [...getListUsersQueryKey(), filter],
    queryFn: ({ pageParam, signal }) =>
      listUsers({ ...filter, limit: 100, cursor: pageParam ?? undefined }, { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });
}

export function useSetActive() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ userId, active }: { userId: string; active: boolean }) =>
      active ? activateUser(userId) : deactivateUser(userId),
    onSettled: () => invalidatePath(client, usersPath),
  });
}

export function useSetAdmin() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ userId, admin }: { userId: string; admin: boolean }) =>
      changeUser(userId, { is_admin: admin }),
    onSettled: () => invalidatePath(client, usersPath),
  });
}

/** Sends the person a link; nobody, also no administrator, sees or sets another one's password. */
export function useSendReset() {
  return useMutation({ mutationFn: (userId: string) => resetPassword(userId) });
}
