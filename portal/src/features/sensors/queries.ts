import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
  skipToken,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import type { NewConversionProfile } from "@/api/generated/models/newConversionProfile";
import type { NewSensor } from "@/api/generated/models/newSensor";
import type { NewSignal } from "@/api/generated/models/newSignal";
import type { Sensor } from "@/api/generated/models/sensor";
import type { SensorChange } from "@/api/generated/models/sensorChange";
import {
  changeProfile,
  convertValues,
  createProfile,
  deleteProfile,
  getListProfilesQueryKey,
  listProfiles,
  publishProfile,
  retireProfile,
} from "@/api/generated/profiles/profiles";
import {
  addSignal,
  changeSensor,
  createSensor,
  decommissionSensor,
  getGetSensorQueryKey,
  getListSensorsQueryKey,
  getListSensorTokensQueryKey,
  getSensor,
  listSensors,
  listSensorTokens,
  removeSignal,
  revokeSensorToken,
  rotateSensorToken,
  shareSensor,
  unshareSensor,
} from "@/api/generated/sensors/sensors";
import {
  discardSetAside,
  getListSensorErrorsQueryKey,
  getListSensorHeartbeatsQueryKey,
  getListSetAsideQueryKey,
  importReadings,
  listSensorErrors,
  listSensorHeartbeats,
  listSetAside,
  retrySetAside,
} from "@/api/generated/telemetry/telemetry";
import { idempotent, ifVersion } from "@/api/http";
import { invalidatePath } from "@/api/invalidate";
import type { SensorSearch } from "./search";

const base = "/api/v1/sensors";
/** How often health is looked at again, in milliseconds: it changes with time alone. */
const lookEvery = 10_000;

/** The sensors of a project: its own and those that others share with it. */
export function sensorsQuery(projectId: string, search: SensorSearch) {
  const filter = {
    q: search.q?.trim() || undefined,
    health: search.health ? [search.health] : undefined,
    status: search.retired ? ("all" as const) : undefined,
    sort: search.sort ?? ("name" as const),
  };
  return infiniteQueryOptions({
    queryKey: [...getListSensorsQueryKey(projectId), "pages", filter],
    queryFn: ({ pageParam, signal }) =>
      listSensors(projectId, { ...filter, limit: 100, cursor: pageParam ?? undefined }, { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
    refetchInterval: lookEvery,
  });
}

export function sensorQuery(sensorId: string) {
  return queryOptions({
    queryKey: getGetSensorQueryKey(sensorId),
    queryFn: ({ signal }) => getSensor(sensorId, { signal }),
    refetchInterval: lookEvery,
  });
}

export function useRegisterSensor(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ key, sensor }: { key: string; sensor: NewSensor }) =>
      createSensor(projectId, sensor, idempotent(key)),
    onSuccess: () => invalidatePath(client, `/api/v1/projects/${projectId}/sensors`),
    // The answer holds the secret; it goes with the component that shows it.
    gcTime: 0,
  });
}

/** What changes a sensor itself; every answer is asked for again. */
export function useSensorChanges({ id, version }: Sensor) {
  const client = useQueryClient();
  const onSettled = () => invalidatePath(client, `${base}/${id}`, "/api/v1/projects");
  const change = useMutation({
    mutationFn: (change: SensorChange) => changeSensor(id, change, ifVersion(version)),
    onSettled,
  });
  const decommission = useMutation({ mutationFn: () => decommissionSensor(id), onSettled });
  const add = useMutation({
    mutationFn: (signal: NewSignal) => addSignal(id, signal),
    onSettled,
  });
  const remove = useMutation({
    mutationFn: (signal: string) => removeSignal(id, signal),
    onSettled,
  });
  const share = useMutation({
    mutationFn: (projectId: string) => shareSensor(id, projectId),
    onSettled,
  });
  const unshare = useMutation({
    mutationFn: (projectId: string) => unshareSensor(id, projectId),
    onSettled,
  });
  return { change, decommission, addSignal: add, removeSignal: remove, share, unshare };
}

export function sensorTokensQuery(sensorId: string) {
  return queryOptions({
    queryKey: getListSensorTokensQueryKey(sensorId),
    queryFn: async ({ signal }) =>
      (await listSensorTokens(sensorId, { limit: 100 }, { signal })).items,
  });
}

export function useTokenChanges(sensorId: string) {
  const client = useQueryClient();
  const onSettled = () => invalidatePath(client, `${base}/${sensorId}/tokens`);
  const rotate = useMutation({
    mutationFn: (grace_seconds: number) => rotateSensorToken(sensorId, { grace_seconds }),
    onSettled,
    gcTime: 0,
  });
  const revoke = useMutation({
    mutationFn: (tokenId: string) => revokeSensorToken(sensorId, tokenId),
    onSettled,
  });
  return { rotate, revoke };
}

export function profilesQuery(sensorId: string) {
  return queryOptions({
    queryKey: getListProfilesQueryKey(sensorId),
    queryFn: async ({ signal }) =>
      (await listProfiles(sensorId, { limit: 1000 }, { signal })).items,
  });
}

export function useProfileChanges(sensorId: string) {
  const client = useQueryClient();
  const onSettled = () =>
    invalidatePath(
      client,
      `${base}/${sensorId}/profiles`,
      "/api/v1/telemetry",
      "/api/v1/capture-sessions",
    );
  const create = useMutation({
    mutationFn: (profile: NewConversionProfile) => createProfile(sensorId, profile),
    onSettled,
  });
  const change = useMutation({
    mutationFn: ({ id, ...profile }: NewConversionProfile & { id: string }) =>
      changeProfile(id, profile),
    onSettled,
  });
  const publish = useMutation({
    mutationFn: ({ id, validFrom }: { id: string; validFrom: string | null }) =>
      publishProfile(id, validFrom ? { valid_from: validFrom } : {}),
    onSettled,
  });
  const retire = useMutation({ mutationFn: (id: string) => retireProfile(id), onSettled });
  const remove = useMutation({ mutationFn: (id: string) => deleteProfile(id), onSettled });
  return { create, change, publish, retire, remove };
}

/** What a profile makes of some raw values, by the server, which also does it to readings. */
export function convertQuery(
  profile: Pick<NewConversionProfile, "kind" | "parameters"> | null,
  values: readonly number[],
) {
  return queryOptions({
    queryKey: ["/api/v1/profiles/convert", profile, values],
    queryFn: profile
      ? ({ signal }) => convertValues({ ...profile, values: [...values] }, { signal })
      : skipToken,
    enabled: values.length > 0,
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** The minutes of the last hours in which the sensor sent. */
export function heartbeatsQuery(sensorId: string, hours: number) {
  return queryOptions({
    queryKey: [...getListSensorHeartbeatsQueryKey(sensorId), hours],
    queryFn: async ({ signal }) => {
      const from = new Date(Date.now() - hours * 3_600_000).toISOString();
      return (await listSensorHeartbeats(sensorId, { from }, { signal })).items;
    },
    refetchInterval: lookEvery,
    placeholderData: keepPreviousData,
  });
}

/** What of the sensor's data was refused, the newest first. */
export function sensorErrorsQuery(sensorId: string) {
  return queryOptions({
    queryKey: getListSensorErrorsQueryKey(sensorId),
    queryFn: async ({ signal }) => (await listSensorErrors(sensorId, { signal })).items,
    refetchInterval: lookEvery,
  });
}

/** What was taken of the sensor's data but could not be stored, the last first. */
export function setAsideQuery(projectId: string, sensorId: string) {
  const filter = { sensor_id: sensorId, limit: 100 };
  return queryOptions({
    queryKey: getListSetAsideQueryKey(projectId, filter),
    queryFn: async ({ signal }) => (await listSetAside(projectId, filter, { signal })).items,
    refetchInterval: lookEvery,
  });
}

export function useSetAsideChanges() {
  const client = useQueryClient();
  const onSettled = () => invalidatePath(client, "/api/v1/projects", "/api/v1/telemetry");
  const retry = useMutation({ mutationFn: (id: string) => retrySetAside(id), onSettled });
  const discard = useMutation({ mutationFn: (id: string) => discardSetAside(id), onSettled });
  return { retry, discard };
}

/** Brings a file of readings; its form is told by its content, so the type says only that it is a file. */
export function useImport(sensorId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ file, ignoreUnknown }: { file: File; ignoreUnknown: boolean }) =>
      importReadings(sensorId, file, ignoreUnknown ? { ignore_unknown: true } : undefined, {
        headers: { "Content-Type": "application/octet-stream" },
      }),
    onSettled: () =>
      Promise.all([
        invalidatePath(client, `${base}/${sensorId}`),
        invalidatePath(client, "/api/v1/telemetry"),
      ]),
  });
}
