import {
  infiniteQueryOptions,
  queryOptions,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import type { ListWebhookDeliveriesParams } from "@/api/generated/models/listWebhookDeliveriesParams";
import type { NewMetricWatch } from "@/api/generated/models/newMetricWatch";
import type { NewWebhook } from "@/api/generated/models/newWebhook";
import type { WebhookChange } from "@/api/generated/models/webhookChange";
import {
  changeWebhook,
  createMetricWatch,
  createWebhook,
  deleteMetricWatch,
  deleteWebhook,
  getGetWebhookDeliveryQueryKey,
  getListMetricWatchesQueryKey,
  getListWebhookDeliveriesQueryKey,
  getListWebhooksQueryKey,
  getWebhookDelivery,
  listMetricWatches,
  listWebhookDeliveries,
  listWebhooks,
  redeliver,
  rotateWebhookSecret,
  testWebhook,
} from "@/api/generated/webhooks/webhooks";
import { idempotent, ifVersion } from "@/api/http";
import { invalidatePath } from "@/api/invalidate";

const everySec = 5_000;
const limit = 20;

/** A project has 50 at most, which is one page. */
export function webhooksQuery(projectId: string) {
  return queryOptions({
    queryKey: getListWebhooksQueryKey(projectId),
    queryFn: ({ signal }) => listWebhooks(projectId, { limit: 100 }, { signal }),
    select: (page) => page.items,
    refetchInterval: everySec,
  });
}

export function deliveriesQuery(webhookId: string, state: ListWebhookDeliveriesParams["state"]) {
  return infiniteQueryOptions({
    queryKey: [...getListWebhookDeliveriesQueryKey(webhookId), "pages", state],
    queryFn: ({ pageParam, signal }) =>
      listWebhookDeliveries(
        webhookId,
        { limit, state, cursor: pageParam ?? undefined },
        { signal },
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: everySec,
  });
}

export function deliveryQuery(deliveryId: string) {
  return queryOptions({
    queryKey: getGetWebhookDeliveryQueryKey(deliveryId),
    queryFn: ({ signal }) => getWebhookDelivery(deliveryId, { signal }),
    refetchInterval: everySec,
  });
}

export function useCreateWebhook(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ key, webhook }: { key: string; webhook: NewWebhook }) =>
      createWebhook(projectId, webhook, idempotent(key)),
    onSuccess: () => invalidatePath(client, `/api/v1/projects/${projectId}/webhooks`),
    // The answer holds the secret; it goes with the component that shows it.
    gcTime: 0,
  });
}

/** Everything that is done with one webhook. */
export function useWebhookChanges(projectId: string, webhookId: string) {
  const client = useQueryClient();
  const refresh = () =>
    invalidatePath(
      client,
      `/api/v1/projects/${projectId}/webhooks`,
      `/api/v1/webhooks/${webhookId}`,
      "/api/v1/webhook-deliveries",
    );
  return {
    change: useMutation({
      mutationFn: (change: WebhookChange) => changeWebhook(webhookId, change),
      onSettled: refresh,
    }),
    /** Changes a webhook as it was read; refused where it is no longer that. */
    edit: useMutation({
      mutationFn: ({ version, change }: { version: number; change: WebhookChange }) =>
        changeWebhook(webhookId, change, ifVersion(version)),
      onSettled: refresh,
    }),
    rotate: useMutation({
      mutationFn: (graceSeconds: number) =>
        rotateWebhookSecret(webhookId, { grace_seconds: graceSeconds }, idempotent()),
      onSuccess: refresh,
      gcTime: 0,
    }),
    test: useMutation({ mutationFn: () => testWebhook(webhookId), onSettled: refresh }),
    remove: useMutation({ mutationFn: () => deleteWebhook(webhookId), onSettled: refresh }),
    again: useMutation({
      mutationFn: (deliveryId: string) => redeliver(deliveryId),
      onSettled: refresh,
    }),
  };
}

/** A project has 100 limits at most, which is one page. */
export function metricWatchesQuery(projectId: string) {
  return queryOptions({
    queryKey: getListMetricWatchesQueryKey(projectId),
    queryFn: ({ signal }) => listMetricWatches(projectId, { limit: 100 }, { signal }),
    select: (page) => page.items,
  });
}

export function useMetricWatchChanges(projectId: string) {
  const client = useQueryClient();
  const refresh = () => invalidatePath(client, `/api/v1/projects/${projectId}/metric-watches`);
  return {
    add: useMutation({
      mutationFn: ({ key, watch }: { key: string; watch: NewMetricWatch }) =>
        createMetricWatch(projectId, watch, idempotent(key)),
      onSuccess: refresh,
    }),
    remove: useMutation({
      mutationFn: (watchId: string) => deleteMetricWatch(watchId),
      onSettled: refresh,
    }),
  };
}
