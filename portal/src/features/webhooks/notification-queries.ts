import {
  infiniteQueryOptions,
  queryOptions,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import type { ListNotificationsParams } from "@/api/generated/models/listNotificationsParams";
import type { MailLanguage } from "@/api/generated/models/mailLanguage";
import type { NewNotificationRule } from "@/api/generated/models/newNotificationRule";
import type { NotificationRule } from "@/api/generated/models/notificationRule";
import type { NotificationRuleChange } from "@/api/generated/models/notificationRuleChange";
import {
  changeNotificationRule,
  createNotificationRule,
  deleteNotificationRule,
  getListNotificationRulesQueryKey,
  getListNotificationsQueryKey,
  getReadMailStateQueryKey,
  listNotificationRules,
  listNotifications,
  readMailState,
  sendTestMail,
} from "@/api/generated/notifications/notifications";
import { idempotent, ifVersion } from "@/api/http";
import { invalidatePath } from "@/api/invalidate";

const everySec = 5_000;
const limit = 20;

/** A person has 50 in a project at most, which is one page. */
export function rulesQuery(projectId: string) {
  return queryOptions({
    queryKey: getListNotificationRulesQueryKey(projectId),
    queryFn: ({ signal }) => listNotificationRules(projectId, { limit: 100 }, { signal }),
    select: (page) => page.items,
  });
}

export function mailStateQuery(projectId: string) {
  return queryOptions({
    queryKey: getReadMailStateQueryKey(projectId),
    queryFn: ({ signal }) => readMailState(projectId, { signal }),
  });
}

export function notificationsQuery(projectId: string, state: ListNotificationsParams["state"]) {
  return infiniteQueryOptions({
    queryKey: [...getListNotificationsQueryKey(projectId), "pages", state],
    queryFn: ({ pageParam, signal }) =>
      listNotifications(projectId, { limit, state, cursor: pageParam ?? undefined }, { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: everySec,
  });
}

/** Everything that one does with one's own rules and mails. */
export function useNotificationChanges(projectId: string) {
  const client = useQueryClient();
  const base = `/api/v1/projects/${projectId}`;
  const rules = () => invalidatePath(client, `${base}/notification-rules`);
  const log = () => invalidatePath(client, `${base}/notifications`);
  const both = () => Promise.all([rules(), log()]);
  return {
    add: useMutation({
      mutationFn: ({ key, rule }: { key: string; rule: NewNotificationRule }) =>
        createNotificationRule(projectId, rule, idempotent(key)),
      onSuccess: rules,
    }),
    change: useMutation({
      mutationFn: ({ id, change }: { id: string; change: NotificationRuleChange }) =>
        changeNotificationRule(id, change),
      onSettled: both,
    }),
    /** Changes a rule as it was read; refused where it is no longer that. */
    edit: useMutation({
      mutationFn: ({ rule, change }: { rule: NotificationRule; change: NotificationRuleChange }) =>
        changeNotificationRule(rule.id, change, ifVersion(rule.version)),
      onSettled: both,
    }),
    remove: useMutation({
      mutationFn: (id: string) => deleteNotificationRule(id),
      onSettled: both,
    }),
    test: useMutation({
      mutationFn: (language: MailLanguage) => sendTestMail(projectId, { language }),
      onSettled: log,
    }),
  };
}
