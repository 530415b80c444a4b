import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { batched } from "@/api/batch";
import {
  addCaptureEvent,
  getListCaptureEventsQueryKey,
  getListCaptureSessionsQueryKey,
  listCaptureEvents,
  listCaptureSessions,
  startCaptureSession,
  stopCaptureSession,
} from "@/api/generated/capture-sessions/capture-sessions";
import type { CaptureSession } from "@/api/generated/models/captureSession";
import type { NewCaptureSession } from "@/api/generated/models/newCaptureSession";
import type { SignalSeries } from "@/api/generated/models/signalSeries";
import {
  attachSensor,
  detachSensor,
  getListRunSensorsQueryKey,
  listRunSensors,
} from "@/api/generated/runs/runs";
import {
  getExportSessionTelemetryUrl,
  getExportTelemetryUrl,
  getReadLatestTelemetryQueryKey,
  getSumUpSessionTelemetryQueryKey,
  readLatestTelemetry,
  readSessionTelemetry,
  readTelemetry,
  sumUpSessionTelemetry,
} from "@/api/generated/telemetry/telemetry";
import { invalidatePath } from "@/api/invalidate";
import type { Range } from "@/charts/axis";
import type { LatePoints } from "@/charts/gaps";
import { noPicture, type Picture } from "@/charts/series";
import { channelId, type Shown } from "./channels";

/** A picture of a signal, and what is known of its readings. */
export type SignalPicture = Picture & {
  /** How many points were asked for at most. */
  points: number;
  late: LatePoints | null;
  /** Why readings have no physical value, by their time; a reading that is a gap itself is not among them. */
  unconverted: ReadonlyMap<number, string>;
  profileIds: readonly string[];
};

export const noSignalPicture: SignalPicture = {
  ...noPicture,
  points: 1,
  late: null,
  unconverted: new Map(),
  profileIds: [],
};

/** What was measured, though it has no physical value; `not_a_number` was not. */
export function unconvertedFrom(
  x: readonly number[],
  byReason: Record<string, readonly number[]> | undefined,
): Map<number, string> {
  const found = new Map<number, string>();
  for (const [reason, places] of Object.entries(byReason ?? {})) {
    if (reason === "not_a_number") continue;
    for (const place of places) found.set(x[place] ?? Number.NaN, reason);
  }
  return found;
}

function lateFrom({ late }: SignalSeries, x: readonly number[]): LatePoints | null {
  if (!late) return null;
  return {
    count: late.count,
    stretches: late.first.map((from, index) => [
      from / 1e6,
      (late.last[index] ?? from) / 1e6,
      late.readings[index] ?? 0,
    ]),
    places: new Set(late.shown.map((place) => x[place] ?? Number.NaN)),
  };
}

export function picturesFrom(
  series: readonly SignalSeries[],
  values: Shown,
  range: Range | null,
  points: number,
): Map<string, SignalPicture> {
  return new Map(
    series.map((one) => {
      const column = (values === "physical" ? one.physical : one.raw) ?? [];
      const x = one.t.map((time) => time / 1e6);
      return [
        channelId(one.sensor_id, one.signal),
        {
          x,
          y: column.map((value) => value ?? Number.NaN),
          count: one.count,
          exact: one.exact,
          ordinal: 0,
          origin: null,
          range,
          points,
          late: lateFrom(one, x),
          unconverted: unconvertedFrom(x, one.unconverted_at),
          profileIds: one.profile_ids ?? [],
        },
      ];
    }),
  );
}

/** What a chart is asked for: of some time, or of a capture session with its own profiles. */
type Asked = {
  from: number;
  to: number;
  points: number;
  values: Shown;
  sessionId: string | null;
};

/** As many series as one request carries. */
const seriesAtOnce = 50;

const split = (id: string): [string, string] => [id.slice(0, 36), id.slice(37)];

/** The pictures of signals between two moments, in seconds since 1970. */
export async function readPictures(
  ids: readonly string[],
  { from, to, points, values, sessionId }: Asked,
  signal?: AbortSignal,
): Promise<Map<string, SignalPicture>> {
  const found = new Map<string, SignalPicture>();
  const asks: { sensors: string[]; signals: string[] }[] = [];
  // A request asks for every signal of every sensor in it, so sensors with the same signals share one.
  const bySensor = Map.groupBy(ids.map(split), ([sensorId]) => sensorId);
  const alike = Map.groupBy(bySensor, ([, members]) =>
    members
      .map(([, name]) => name)
      .sort()
      .join("\n"),
  );
  for (const [names, sensors] of alike) {
    const signals = names.split("\n");
    const each = Math.max(1, Math.floor(seriesAtOnce / signals.length));
    for (let at = 0; at < sensors.length; at += each) {
      asks.push({ sensors: sensors.slice(at, at + each).map(([sensorId]) => sensorId), signals });
    }
  }
  await Promise.all(
    asks.map(async ({ sensors, signals }) => {
      const params = {
        sensor_id: sensors,
        signal: signals,
        from: Math.floor(from * 1e6),
        to: Math.ceil(to * 1e6),
        points,
        values,
      };
      const answer = sessionId
        ? await readSessionTelemetry(sessionId, params, { signal })
        : await readTelemetry(params, { signal });
      for (const [id, picture] of picturesFrom(answer.series, values, [from, to], points)) {
        found.set(id, picture);
      }
    }),
  );
  return found;
}

const loadPicture = batched<Asked, SignalPicture>(
  (asked, ids) => readPictures(ids, asked),
  () => noSignalPicture,
);

/**
 * One signal's picture; panels that ask at the same moment share a request. Another `revision` asks again for
 * what may have grown.
 */
export function pictureQuery(id: string, asked: Asked, revision = 0) {
  return queryOptions({
    queryKey: ["/api/v1/telemetry/series", id, asked, revision],
    queryFn: () => loadPicture(asked, id),
    staleTime: 60_000,
    gcTime: 5 * 60_000,
  });
}

export function latestQuery(sensorIds: readonly string[], every = 5_000) {
  const params = { sensor_id: [...sensorIds] };
  return queryOptions({
    queryKey: getReadLatestTelemetryQueryKey(params),
    queryFn: async ({ signal }) => (await readLatestTelemetry(params, { signal })).items,
    enabled: sensorIds.length > 0,
    refetchInterval: every,
    placeholderData: keepPreviousData,
  });
}

export function runSensorsQuery(runId: string) {
  return queryOptions({
    queryKey: getListRunSensorsQueryKey(runId),
    queryFn: async ({ signal }) => (await listRunSensors(runId, { signal })).items,
    refetchInterval: 15_000,
  });
}

/** The sessions of a run, the newest first. */
export function sessionsQuery(runId: string) {
  return queryOptions({
    queryKey: getListCaptureSessionsQueryKey(runId),
    queryFn: async ({ signal }) =>
      (await listCaptureSessions(runId, { limit: 1000 }, { signal })).items,
    refetchInterval: ({ state }) =>
      state.data?.some(({ status }) => status === "running") ? 3_000 : 15_000,
  });
}

/** What a session holds, and how much of it came after it had been stopped. */
export function summaryQuery({ id, status }: Pick<CaptureSession, "id" | "status">) {
  return queryOptions({
    queryKey: getSumUpSessionTelemetryQueryKey(id),
    queryFn: async ({ signal }) => (await sumUpSessionTelemetry(id, { signal })).items,
    refetchInterval: status === "running" ? 2_000 : 10_000,
  });
}

export function eventsQuery(sessionId: string) {
  return queryOptions({
    queryKey: getListCaptureEventsQueryKey(sessionId),
    queryFn: async ({ signal }) =>
      (await listCaptureEvents(sessionId, { limit: 1000 }, { signal })).items,
    refetchInterval: 10_000,
  });
}

/** What records a run: its sensors, the start and stop of sessions, marks. */
export function useRecording(runId: string) {
  const client = useQueryClient();
  const onSettled = () =>
    invalidatePath(
      client,
      `/api/v1/runs/${runId}/sensors`,
      `/api/v1/runs/${runId}/capture-sessions`,
      "/api/v1/capture-sessions",
    );
  const attach = useMutation({
    mutationFn: (sensorId: string) => attachSensor(runId, sensorId),
    onSettled,
  });
  const detach = useMutation({
    mutationFn: (sensorId: string) => detachSensor(runId, sensorId),
    onSettled,
  });
  const start = useMutation({
    mutationFn: (session: NewCaptureSession) => startCaptureSession(runId, session),
    onSettled,
  });
  const stop = useMutation({
    mutationFn: (sessionId: string) => stopCaptureSession(sessionId),
    onSettled,
  });
  const mark = useMutation({
    mutationFn: ({ id, text }: { id: string; text: string }) =>
      addCaptureEvent(id, { kind: "mark", text }),
    onSettled,
  });
  return { attach, detach, start, stop, mark };
}

export type ExportFormat = "parquet" | "csv" | "arrow";

/** The address of everything that a session holds. */
export function sessionExportPath(sessionId: string, format: ExportFormat): string {
  return getExportSessionTelemetryUrl(sessionId, { format });
}

/** The address of what sensors measured between two moments, in seconds since 1970. */
export function exportPath(
  sensorIds: readonly string[],
  [from, to]: Range,
  format: ExportFormat,
): string {
  return getExportTelemetryUrl({
    sensor_id: [...sensorIds],
    from: Math.floor(from * 1e6),
    to: Math.ceil(to * 1e6),
    format,
  });
}
