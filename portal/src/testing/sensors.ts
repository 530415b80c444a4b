/** Sensors, their profiles and capture sessions for the backend in memory. */

import type { CaptureEvent } from "@/api/generated/models/captureEvent";
import type { CaptureSession } from "@/api/generated/models/captureSession";
import type { ConversionProfile } from "@/api/generated/models/conversionProfile";
import type { Imported } from "@/api/generated/models/imported";
import type { NewConversionProfile } from "@/api/generated/models/newConversionProfile";
import type { NewSensor } from "@/api/generated/models/newSensor";
import type { Sensor } from "@/api/generated/models/sensor";
import type { SensorError } from "@/api/generated/models/sensorError";
import type { SensorToken } from "@/api/generated/models/sensorToken";
import type { SensorWatch } from "@/api/generated/models/sensorWatch";
import type { SetAside } from "@/api/generated/models/setAside";
import type { Signal } from "@/api/generated/models/signal";
import type { TelemetryIngestHeartbeat } from "@/api/generated/models/telemetryIngestHeartbeat";
import { type Backend, newId, page, problem } from "@/testing/backend";

const at = "2026-11-22T09:00:00.000000Z";

function signal(name: string, change: Partial<Signal> = {}): Signal {
  return {
    name,
    title: "",
    input_unit: "V",
    display_unit: "°C",
    expected_rate_hz: 10,
    ...change,
  };
}

/** A stored reading: time in µs, raw value. */
export type Reading = readonly [time: number, value: number | null];

export class Rig {
  readonly sensors: Sensor[] = [];
  readonly tokens = new Map<string, SensorToken[]>();
  readonly profiles: ConversionProfile[] = [];
  readonly errors: SensorError[] = [];
  readonly setAside: SetAside[] = [];
  /** The files that were brought, and what is answered to one. */
  readonly imports: { sensor: string; ignoreUnknown: string | null }[] = [];
  imported: Omit<Imported, "sensor_id"> = {
    rows: 3,
    accepted: 3,
    duplicates: 0,
    signals: ["temperature"],
    ignored: [],
    rejected: [],
    rejected_count: 0,
    set_aside: 0,
  };
  readonly watches: SensorWatch[] = [];
  readonly beats: TelemetryIngestHeartbeat[] = [];
  readonly sessions: CaptureSession[] = [];
  readonly events: CaptureEvent[] = [];
  /** By sensor and signal. */
  readonly readings = new Map<string, Reading[]>();
  readonly ofRun: string[] = [];
  /** How many readings of each session came late. */
  late = 0;
  /** The times of those of a session that came late. */
  lateAt: number[] | null = null;
  /** Places of what a profile cannot convert, by reason. */
  unconvertedAt: Record<string, number[]> = {};
  /** Whether a profile makes physical values: ten times the raw ones. */
  converts = true;
  readonly askedSeries: URLSearchParams[] = [];

  constructor(
    readonly backend: Backend,
    readonly projectId: string,
  ) {
    this.registerSensors();
    this.registerProfiles();
    this.registerSessions();
    this.registerReadings();
  }

  addSensor(name: string, change: Partial<Sensor> = {}): Sensor {
    const sensor: Sensor = {
      id: newId(),
      project_id: this.projectId,
      name,
      type: "thermocouple",
      description: "",
      tags: {},
      status: "active",
      signals: [signal("temperature")],
      health: "online",
      last_received_at: at,
      readings: 0,
      shared_with: [],
      created_at: at,
      created_by: newId(),
      decommissioned_at: null,
      updated_at: at,
      version: 1,
      ...change,
    };
    this.sensors.push(sensor);
    this.tokens.set(sensor.id, [this.token(sensor.id)]);
    return sensor;
  }

  measure(sensor: Sensor, name: string, readings: Reading[]): void {
    this.readings.set(`${sensor.id}/${name}`, readings);
  }

  private token(sensorId: string): SensorToken {
    return {
      id: newId(),
      sensor_id: sensorId,
      key_id: "8FkQ2mZx",
      created_at: at,
      created_by: newId(),
      expires_at: null,
      revoked_at: null,
      state: "current",
    };
  }

  private find(id = ""): Sensor | undefined {
    return this.sensors.find((one) => one.id === id);
  }

  private registerSensors(): void {
    const { backend } = this;
    const list = `GET /api/v1/projects/${this.projectId}/sensors`;
    backend.on(list, ({ query }) => {
      const q = query.get("q")?.toLowerCase() ?? "";
      const health = query.get("health");
      const status = query.get("status");
      return page(
        this.sensors.filter(
          (one) =>
            one.name.toLowerCase().includes(q) &&
            (!health || one.health === health) &&
            (status === "all" || one.status === (status ?? "active")),
        ),
      );
    });
    backend.on(`POST /api/v1/projects/${this.projectId}/sensors`, ({ body }) => {
      const asked = body as unknown as NewSensor;
      if (this.sensors.some(({ name }) => name === asked.name)) {
        return problem(409, "sensor-name-taken", { detail: `“${asked.name}” exists already.` });
      }
      const made = this.addSensor(asked.name, {
        type: asked.type ?? "",
        description: asked.description ?? "",
        signals: (asked.signals ?? []).map((one) =>
          signal(one.name, {
            input_unit: one.input_unit ?? "",
            display_unit: one.display_unit ?? "",
            expected_rate_hz: one.expected_rate_hz ?? null,
          }),
        ),
        health: "never",
        last_received_at: null,
      });
      const token = `rb_sensor_8FkQ2mZx_${"s".repeat(43)}_1a2B3c`;
      return Response.json({ ...made, token }, { status: 201 });
    });
    backend.on("GET /api/v1/sensors/{}", ({ params: [id] }) => {
      const sensor = this.find(id);
      return sensor ? Response.json(sensor) : problem(404, "not-found");
    });
    backend.on("PATCH /api/v1/sensors/{}", ({ params: [id], body }) => {
      const sensor = this.find(id);
      if (!sensor) return problem(404, "not-found");
      Object.assign(sensor, body, { version: sensor.version + 1 });
      return Response.json(sensor);
    });
    backend.on("DELETE /api/v1/sensors/{}", ({ params: [id] }) => {
      const sensor = this.find(id);
      if (sensor) sensor.status = "decommissioned";
      return new Response(null, { status: 204 });
    });
    backend.on("PUT /api/v1/sensors/{}/projects/{}", ({ params: [id, project = ""] }) => {
      this.find(id)?.shared_with.push(project);
      return new Response(null, { status: 204 });
    });
    backend.on("DELETE /api/v1/sensors/{}/projects/{}", ({ params: [id, project] }) => {
      const sensor = this.find(id);
      if (sensor) sensor.shared_with = sensor.shared_with.filter((one) => one !== project);
      return new Response(null, { status: 204 });
    });
    backend.on("GET /api/v1/sensors/{}/watches", () => page(this.watches));
    backend.on("POST /api/v1/sensors/{}/watches", ({ params: [id = ""], body }) => {
      const watch = {
        ...(body as Pick<SensorWatch, "signal" | "direction" | "threshold" | "rearm_at">),
        id: newId(),
        sensor_id: id,
        created_by: backend.user?.id ?? "",
        created_at: at,
      };
      this.watches.push(watch);
      return Response.json(watch, { status: 201 });
    });
    backend.on("DELETE /api/v1/sensors/{}/watches/{}", ({ params: [, id] }) => {
      this.watches.splice(
        this.watches.findIndex((one) => one.id === id),
        1,
      );
      return new Response(null, { status: 204 });
    });
    backend.on("GET /api/v1/sensors/{}/tokens", ({ params: [id = ""] }) =>
      page(this.tokens.get(id) ?? []),
    );
    backend.on("POST /api/v1/sensors/{}/tokens", ({ params: [id = ""], body }) => {
      const all = this.tokens.get(id) ?? [];
      const ends = new Date(Date.now() + Number(body.grace_seconds) * 1000).toISOString();
      for (const token of all) {
        token.expires_at ??= ends;
        token.state = "grace";
      }
      const made = { ...this.token(id), key_id: "Zz9newer" };
      this.tokens.set(id, [made, ...all]);
      const secret = `rb_sensor_Zz9newer_${"n".repeat(43)}_1a2B3c`;
      return Response.json({ ...made, token: secret }, { status: 201 });
    });
    backend.on("DELETE /api/v1/sensors/{}/tokens/{}", ({ params: [id = "", tokenId] }) => {
      const token = this.tokens.get(id)?.find((one) => one.id === tokenId);
      if (token) Object.assign(token, { revoked_at: at, state: "ended" });
      return new Response(null, { status: 204 });
    });
    backend.on("GET /api/v1/sensors/{}/errors", () => page(this.errors));
    const takeOut = (id = "") => {
      const at = this.setAside.findIndex((one) => one.id === id);
      return at < 0 ? undefined : this.setAside.splice(at, 1)[0];
    };
    backend.on("GET /api/v1/projects/{}/telemetry/set-aside", ({ query }) =>
      page(this.setAside.filter(({ sensor_id }) => sensor_id === query.get("sensor_id"))),
    );
    backend.on("POST /api/v1/telemetry/set-aside/{}/retry", ({ params: [id] }) => {
      if (this.setAside.some((one) => one.id === id && one.reason.includes("DataError"))) {
        return problem(409, "still-not-storable", { detail: "DataError: it is as it was" });
      }
      return Response.json({ stored: takeOut(id)?.readings ?? 0, duplicate: false });
    });
    backend.on("DELETE /api/v1/telemetry/set-aside/{}", ({ params: [id] }) => {
      takeOut(id);
      return new Response(null, { status: 204 });
    });
    backend.on("POST /api/v1/sensors/{}/imports", ({ params: [id = ""], query }) => {
      this.imports.push({ sensor: id, ignoreUnknown: query.get("ignore_unknown") });
      return Response.json({ ...this.imported, sensor_id: id });
    });
    backend.on("GET /api/v1/sensors/{}/heartbeats", () => Response.json({ items: this.beats }));
  }

  private registerProfiles(): void {
    const { backend } = this;
    const find = (id = "") => this.profiles.find((one) => one.id === id);
    backend.on("GET /api/v1/sensors/{}/profiles", ({ params: [id] }) =>
      page(this.profiles.filter(({ sensor_id }) => sensor_id === id)),
    );
    backend.on("POST /api/v1/sensors/{}/profiles", ({ params: [id = ""], body }) => {
      const asked = body as unknown as NewConversionProfile;
      const before = this.profiles.filter(({ signal: name }) => name === asked.signal);
      const made: ConversionProfile = {
        id: newId(),
        sensor_id: id,
        signal: asked.signal,
        kind: asked.kind,
        parameters: asked.parameters,
        version: before.length + 1,
        edition: 1,
        unit: asked.unit ?? "",
        note: asked.note ?? "",
        state: "draft",
        valid_from: null,
        valid_to: null,
        published_at: null,
        published_by: null,
        created_by: newId(),
        created_at: at,
      };
      this.profiles.unshift(made);
      return Response.json(made, { status: 201 });
    });
    backend.on("POST /api/v1/profiles/convert", ({ body }) => {
      const { a, b } = body.parameters as { a: number; b: number };
      const values = body.values as number[];
      return Response.json({
        items: values.map((raw) =>
          raw > 1000
            ? { raw, physical: null, reason: "out_of_table" }
            : { raw, physical: a * raw + b, reason: null },
        ),
      });
    });
    backend.on("PATCH /api/v1/profiles/{}", ({ params: [id], body }) => {
      const profile = find(id);
      if (!profile) return problem(404, "not-found");
      return Response.json(Object.assign(profile, body));
    });
    backend.on("POST /api/v1/profiles/{}/publish", ({ params: [id], body }) => {
      const profile = find(id);
      if (!profile) return problem(404, "not-found");
      const from = body.valid_from as string | undefined;
      for (const one of this.profiles) {
        if (one.signal === profile.signal && one.state === "active") one.state = "retired";
      }
      profile.state = from && Date.parse(from) > Date.now() ? "scheduled" : "active";
      profile.valid_from = from ?? new Date().toISOString();
      return Response.json(profile);
    });
    backend.on("POST /api/v1/profiles/{}/retire", ({ params: [id] }) => {
      const profile = find(id);
      if (profile) profile.state = "retired";
      return Response.json(profile);
    });
  }

  /** A published profile of a sensor's temperature. */
  addProfile(sensorId: string, change: Partial<ConversionProfile> = {}): void {
    this.profiles.push({
      id: newId(),
      sensor_id: sensorId,
      signal: "temperature",
      kind: "linear",
      parameters: { a: 10, b: 0 },
      version: 1,
      edition: 1,
      unit: "°C",
      note: "",
      state: "active",
      valid_from: at,
      valid_to: null,
      published_at: at,
      published_by: newId(),
      created_by: newId(),
      created_at: at,
      ...change,
    });
  }

  private registerSessions(): void {
    const { backend } = this;
    const find = (id = "") => this.sessions.find((one) => one.id === id);
    backend.on("GET /api/v1/runs/{}/sensors", () =>
      page(this.sensors.filter(({ id }) => this.ofRun.includes(id))),
    );
    backend.on("PUT /api/v1/runs/{}/sensors/{}", ({ params: [, id = ""] }) => {
      this.ofRun.push(id);
      return new Response(null, { status: 204 });
    });
    backend.on("GET /api/v1/runs/{}/capture-sessions", () => page(this.sessions));
    backend.on("POST /api/v1/runs/{}/capture-sessions", ({ params: [run = ""], body }) => {
      if (this.sessions.some(({ status }) => status === "running")) {
        return problem(409, "capture-session-running");
      }
      const after = body.stop_after_seconds as number | undefined;
      const stop_at = after ? new Date(Date.now() + after * 1000).toISOString() : null;
      return Response.json(this.addSession(run, { name: String(body.name ?? ""), stop_at }), {
        status: 201,
      });
    });
    backend.on("POST /api/v1/capture-sessions/{}/stop", ({ params: [id] }) => {
      const session = find(id);
      if (!session) return problem(404, "not-found");
      session.status = "stopped";
      session.stopped_at = new Date().toISOString();
      return Response.json(session);
    });
    backend.on("GET /api/v1/capture-sessions/{}/events", () => page(this.events));
    backend.on("POST /api/v1/capture-sessions/{}/events", ({ body }) => {
      const event: CaptureEvent = {
        id: newId(),
        capture_session_id: newId(),
        time: at,
        kind: "mark",
        text: String(body.text),
        created_by: newId(),
        created_at: at,
      };
      this.events.push(event);
      return Response.json(event, { status: 201 });
    });
  }

  addSession(runId: string, change: Partial<CaptureSession> = {}): CaptureSession {
    const session: CaptureSession = {
      id: newId(),
      run_id: runId,
      project_id: this.projectId,
      ordinal: this.sessions.length + 1,
      name: "",
      note: "",
      status: "running",
      started_at: new Date().toISOString(),
      stopped_at: null,
      started_by: newId(),
      stop_at: null,
      stop_reason: null,
      stopped_by: null,
      sensors: this.sensors
        .filter(({ id }) => this.ofRun.includes(id))
        .map(({ id, name, signals }) => ({
          sensor_id: id,
          name,
          signals,
        })),
      profiles: {},
      version: 1,
      ...change,
    };
    this.sessions.push(session);
    return session;
  }

  private registerReadings(): void {
    const { backend } = this;
    const inside = (query: URLSearchParams) => {
      const [from, to] = [Number(query.get("from") ?? 0), Number(query.get("to") ?? 9e15)];
      const points = Number(query.get("points") ?? 1000);
      return [...this.readings].flatMap(([id, readings]) => {
        const [sensor_id = "", name = ""] = id.split("/");
        if (query.has("sensor_id") && !query.getAll("sensor_id").includes(sensor_id)) return [];
        const all = readings.filter(([time]) => time >= from && time <= to);
        const every = Math.max(1, Math.ceil(all.length / points));
        const shown = all.filter((_, index) => index % every === 0);
        return {
          sensor_id,
          signal: name,
          t: shown.map(([time]) => time),
          raw: shown.map(([, value]) => value),
          physical: shown.map(([, value], index) =>
            value === null || Object.values(this.unconvertedAt).flat().includes(index)
              ? null
              : value * 10,
          ),
          unit: "°C",
          unconverted: {},
          unconverted_at: this.unconvertedAt,
          profile_ids: this.profiles.filter((one) => one.signal === name).map(({ id: one }) => one),
          late: this.lateAt && {
            count: this.lateAt.length,
            first: this.lateAt,
            last: this.lateAt,
            readings: this.lateAt.map(() => 1),
            shown: shown.flatMap(([time], index) => (this.lateAt?.includes(time) ? [index] : [])),
          },
          ordinal: 0,
          count: all.length,
          exact: every === 1,
        };
      });
    };
    const series = (query: URLSearchParams) => {
      this.askedSeries.push(query);
      return Response.json({ series: inside(query) });
    };
    backend.on("GET /api/v1/telemetry/series", ({ query }) => series(query));
    backend.on("GET /api/v1/capture-sessions/{}/telemetry", ({ query }) => series(query));
    backend.on("GET /api/v1/capture-sessions/{}/telemetry/summary", () =>
      Response.json({
        items: inside(new URLSearchParams()).map(({ sensor_id, signal: name, count }) => ({
          sensor_id,
          signal: name,
          count,
          late_count: this.late,
          first: null,
          last: null,
          min: null,
          max: null,
        })),
      }),
    );
    backend.on("GET /api/v1/telemetry/latest", ({ query }) =>
      Response.json({
        items: inside(query).flatMap(({ sensor_id, signal: name, t, raw, physical }) => {
          const time = t.at(-1);
          return time === undefined
            ? []
            : {
                sensor_id,
                signal: name,
                t: time,
                received_at: time + 40_000,
                raw: raw.at(-1),
                physical: this.converts ? physical.at(-1) : null,
                unit: this.converts ? "°C" : "V",
                reason: this.converts ? null : "no_profile",
              };
        }),
      }),
    );
  }
}
