import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import type { NewSensorWatch } from "@/api/generated/models/newSensorWatch";
import {
  createSensorWatch,
  deleteSensorWatch,
  getListSensorWatchesQueryKey,
  listSensorWatches,
} from "@/api/generated/sensors/sensors";
import { idempotent } from "@/api/http";
import { invalidatePath } from "@/api/invalidate";

/** A sensor has 50 limits at most, which is one page. */
export function sensorWatchesQuery(sensorId: string) {
  return queryOptions({
    queryKey: getListSensorWatchesQueryKey(sensorId),
    queryFn: ({ signal }) => listSensorWatches(sensorId, { limit: 100 }, { signal }),
    select: (page) => page.items,
  });
}

export function useSensorWatchChanges(sensorId: string) {
  const client = useQueryClient();
  const refresh = () => invalidatePath(client, `/api/v1/sensors/${sensorId}/watches`);
  return {
    add: useMutation({
      mutationFn: ({ key, watch }: { key: string; watch: NewSensorWatch }) =>
        createSensorWatch(sensorId, watch, idempotent(key)),
      onSuccess: refresh,
    }),
    remove: useMutation({
      mutationFn: (watchId: string) => deleteSensorWatch(sensorId, watchId),
      onSettled: refresh,
    }),
  };
}
