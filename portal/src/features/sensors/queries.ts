import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import {
  type ConversionProfile,
  type Converted,
  type IngestError,
  type MadeSensorToken,
  type NewProfile,
  type NewSensor,
  type NewSignal,
  type Page,
  type RegisteredSensor,
  read,
  type Sensor,
  type SensorChange,
  type SensorToken,
  send,
} from "@/api/contract";
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
    health: search.health,
    status: search.retired ? undefined : "active",
    sort: search.sort ?? "name",
  };
  const path = `/api/v1/projects/${projectId}/sensors`;
  return infiniteQueryOptions({
    queryKey: [path, "pages", filter],
    queryFn: ({ pageParam, signal }) =>
      read<Page<Sensor>>(path, { ...filter, limit: 100, cursor: pageParam }, { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
    refetchInterval: lookEvery,
  });
}

export function sensorQuery(sensorId: string) {
  return queryOptions({
    queryKey: [`${base}/${sensorId}`],
    queryFn: ({ signal }) => read<Sensor>(`${base}/${sensorId}`, {}, { signal }),
    refetchInterval: lookEvery,
  });
}

export function useRegisterSensor(projectId: string) {
  const client = useQueryClient();
  const path = `/api/v1/projects/${projectId}/sensors`;
  return useMutation({
    mutationFn: ({ key, sensor }: { key: string; sensor: NewSensor }) =>
      send<RegisteredSensor>("POST", path, sensor, idempotent(key)),
    onSuccess: () => invalidatePath(client, path),
    // The answer holds the secret; it goes with the component that shows it.
    gcTime: 0,
  });
}

/** What changes a sensor itself; every answer is asked for again. */
export function useSensorChanges(sensor: Sensor) {
  const client = useQueryClient();
  const path = `${base}/${sensor.id}`;
  const onSettled = () => invalidatePath(client, path, "/api/v1/projects");
  const change = useMutation({
    mutationFn: (change: SensorChange) =>
      send<Sensor>("PATCH", path, change, ifVersion(sensor.version)),
    onSettled,
  });
  const decommission = useMutation({ mutationFn: () => send("DELETE", path), onSettled });
  const addSignal = useMutation({
    mutationFn: (signal: NewSignal) => send("POST", `${path}/signals`, signal),
    onSettled,
  });
  const removeSignal = useMutation({
    mutationFn: (signal: string) => send("DELETE", `${path}/signals/${encodeURIComponent(signal)}`),
    onSettled,
  });
  const share = useMutation({
    mutationFn: (projectId: string) => send("PUT", `${path}/projects/${projectId}`),
    onSettled,
  });
  const unshare = useMutation({
    mutationFn: (projectId: string) => send("DELETE", `${path}/projects/${projectId}`),
    onSettled,
  });
  return { change, decommission, addSignal, removeSignal, share, unshare };
}

export function sensorTokensQuery(sensorId: string) {
  const path = `${base}/${sensorId}/tokens`;
  return queryOptions({
    queryKey: [path],
    queryFn: async ({ signal }) => (await read<Page<SensorToken>>(path, {}, { signal })).items,
  });
}

export function useTokenChanges(sensorId: string) {
  const client = useQueryClient();
  const path = `${base}/${sensorId}/tokens`;
  const onSettled = () => invalidatePath(client, path);
  const rotate = useMutation({
    mutationFn: (grace_seconds: number) => send<MadeSensorToken>("POST", path, { grace_seconds }),
    onSettled,
    gcTime: 0,
  });
  const revoke = useMutation({
    mutationFn: (tokenId: string) => send("DELETE", `${path}/${tokenId}`),
    onSettled,
  });
  return { rotate, revoke };
}

export function profilesQuery(sensorId: string) {
  const path = `${base}/${sensorId}/profiles`;
  return queryOptions({
    queryKey: [path],
    queryFn: async ({ signal }) =>
      (await read<Page<ConversionProfile>>(path, {}, { signal })).items,
  });
}

export function useProfileChanges(sensorId: string) {
  const client = useQueryClient();
  const path = `${base}/${sensorId}/profiles`;
  const onSettled = () => invalidatePath(client, path, "/api/v1/telemetry");
  const create = useMutation({
    mutationFn: (profile: NewProfile) => send<ConversionProfile>("POST", path, profile),
    onSettled,
  });
  const change = useMutation({
    mutationFn: ({ id, ...profile }: NewProfile & { id: string }) =>
      send<ConversionProfile>("PATCH", `/api/v1/profiles/${id}`, profile),
    onSettled,
  });
  const publish = useMutation({
    mutationFn: ({ id, validFrom }: { id: string; validFrom: string | null }) =>
      send<ConversionProfile>(
        "POST",
        `/api/v1/profiles/${id}/publish`,
        validFrom ? { valid_from: validFrom } : {},
      ),
    onSettled,
  });
  const retire = useMutation({
    mutationFn: (id: string) => send("POST", `/api/v1/profiles/${id}/retire`),
    onSettled,
  });
  const remove = useMutation({
    mutationFn: (id: string) => send("DELETE", `/api/v1/profiles/${id}`),
    onSettled,
  });
  return { create, change, publish, retire, remove };
}

/** What a profile makes of some raw values, by the server, which also does it to readings. */
export function convertQuery(
  profile: Pick<NewProfile, "kind" | "parameters"> | null,
  values: readonly number[],
) {
  const path = "/api/v1/profiles/convert";
  return queryOptions({
    queryKey: [path, profile, values],
    queryFn: ({ signal }) => send<Converted>("POST", path, { ...profile, values }, { signal }),
    enabled: profile !== null && values.length > 0,
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** What of the sensor's data was refused, the newest first. */
export function sensorErrorsQuery(sensorId: string) {
  const path = `${base}/${sensorId}/errors`;
  return queryOptions({
    queryKey: [path],
    queryFn: async ({ signal }) => (await read<Page<IngestError>>(path, {}, { signal })).items,
    refetchInterval: lookEvery,
  });
}
