import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import {
  getListMembersQueryKey,
  listMembers,
  removeMember,
  setMember,
} from "@/api/generated/members/members";
import type { Member } from "@/api/generated/models/member";
import type { Role } from "@/api/generated/models/role";
import { findPeople, getFindPeopleQueryKey } from "@/api/generated/people/people";
import { invalidatePath } from "@/api/invalidate";

/** All members of a project, by name; projects have tens of them, so every page is fetched. */
export function membersQuery(projectId: string) {
  return queryOptions({
    queryKey: getListMembersQueryKey(projectId),
    queryFn: async ({ signal }): Promise<Member[]> => {
      const members: Member[] = [];
      let cursor: string | null | undefined = null;
      do {
        const page = await listMembers(
          projectId,
          { limit: 1000, cursor: cursor ?? undefined },
          { signal },
        );
        members.push(...page.items);
        cursor = page.next_cursor ?? null;
      } while (cursor);
      return members;
    },
  });
}

/** People by name or e-mail; the server wants at least two characters. */
export function peopleQuery(q: string) {
  return queryOptions({
    queryKey: getFindPeopleQueryKey({ q, limit: 8 }),
    queryFn: ({ signal }) => findPeople({ q, limit: 8 }, { signal }),
    enabled: q.length >= 2,
    placeholderData: keepPreviousData,
  });
}

export function useSetMember(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ userId, role }: { userId: string; role: Role }) =>
      setMember(projectId, userId, { role }),
    onSettled: () => invalidatePath(client, "/api/v1/projects"),
  });
}

export function useRemoveMember(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (userId: string) => removeMember(projectId, userId),
    onSettled: () => invalidatePath(client, "/api/v1/projects"),
  });
}
