/** The signals that a page shows, and how its charts are arranged. */

import * as v from "valibot";
import type { Latest } from "@/api/generated/models/latest";
import type { Sensor } from "@/api/generated/models/sensor";

export type Channel = {
  /** The sensor's id and the signal's name with a slash between. */
  id: string;
  sensorId: string;
  sensor: string;
  signal: string;
  label: string;
  /** What is shown: physical values only where a profile makes them. */
  values: Values;
  /** Its unit; of both that of the physical values. */
  unit: string;
  rawUnit: string;
  /** Readings a second that the sensor promises. */
  rate: number | null;
  /** Colour and dash. */
  look: number;
};

export const values = ["physical", "raw", "both"] as const;
export type Values = (typeof values)[number];
/** What one chart shows. */
export type Shown = Exclude<Values, "both">;

export function channelId(sensorId: string, signal: string): string {
  return `${sensorId}/${signal}`;
}

type Named = Pick<Sensor, "id" | "name" | "signals">;

/** The signals whose newest readings a profile converts, or tries to. */
export function convertedIn(latest: readonly Latest[] | undefined): ReadonlySet<string> {
  return new Set(
    (latest ?? [])
      .filter(({ physical, reason }) => physical !== null || reason !== "no_profile")
      .map(({ sensor_id, signal }) => channelId(sensor_id, signal)),
  );
}

/** Every signal of the sensors; those that are not among `converted` show raw values in any case. */
export function channelsOf(
  sensors: readonly Named[],
  shown: Values,
  converted: ReadonlySet<string>,
): Channel[] {
  const several = sensors.length > 1;
  const all = sensors.flatMap((sensor) => sensor.signals.map((signal) => ({ sensor, signal })));
  return all.map(({ sensor, signal }, look) => {
    const id = channelId(sensor.id, signal.name);
    const values = converted.has(id) ? shown : "raw";
    return {
      id,
      sensorId: sensor.id,
      sensor: sensor.name,
      signal: signal.name,
      label: several ? `${sensor.name} · ${signal.name}` : signal.name,
      values,
      unit: values === "raw" ? signal.input_unit : signal.display_unit || signal.input_unit,
      rawUnit: signal.input_unit,
      rate: signal.expected_rate_hz,
      look,
    };
  });
}

export const windows = [5, 10, 30, 60, 300, 900, 3600] as const;

const optional = <Schema extends v.GenericSchema>(schema: Schema) =>
  v.optional(v.fallback(v.optional(schema), undefined));

/** How the charts of a page are looked at; stands in its address. */
export const telemetrySearch = {
  /** Seconds. */
  window: optional(v.picklist(windows)),
  values: optional(v.picklist(values)),
  /** One chart for all signals of a unit, or one for each. */
  by: optional(v.picklist(["unit", "signal"] as const)),
  /** Charts in the order that somebody gave them. */
  order: optional(v.array(v.string())),
};

const schema = v.object(telemetrySearch);
export type TelemetrySearch = v.InferOutput<typeof schema>;

export type PanelOf = { key: string; title: string; channels: Channel[] };

export type ShownChannel = Channel & { values: Shown };
export type ChartOf = { key: string; title: string; values: Shown; channels: ShownChannel[] };

/** The charts of a panel: one, or the physical values with the raw ones of each unit below them. */
export function chartsOf({ key, title, channels }: PanelOf): ChartOf[] {
  const charts: ChartOf[] = [];
  const first = channels.map((one) => ({
    ...one,
    values: one.values === "raw" ? "raw" : "physical",
  }));
  const shown = first as ShownChannel[];
  const values = shown.some((one) => one.values === "physical") ? "physical" : "raw";
  charts.push({ key, title, values, channels: shown });
  const both = channels.filter((one) => one.values === "both");
  for (const [unit, members] of Map.groupBy(both, ({ rawUnit }) => rawUnit)) {
    const label = members.length === 1 ? (members[0]?.label ?? "") : "";
    charts.push({
      key: `${key} raw ${unit}`,
      title: [label, unit].filter(Boolean).join(", ") || title,
      values: "raw",
      channels: members.map((one) => ({ ...one, unit, values: "raw" })),
    });
  }
  return charts;
}

/** Charts in their order; those that nobody moved follow as the sensors list them. */
export function panelsOf(
  channels: readonly Channel[],
  by: "unit" | "signal",
  order: readonly string[] = [],
): PanelOf[] {
  const panels =
    by === "signal"
      ? channels.map((channel) => ({
          key: channel.id,
          title: channel.unit ? `${channel.label}, ${channel.unit}` : channel.label,
          channels: [channel],
        }))
      : [...Map.groupBy(channels, ({ unit, id }) => unit || id)].map(([unit, members]) => ({
          key: unit,
          title: members[0]?.unit || (members[0]?.label ?? ""),
          channels: members,
        }));
  const place = (key: string) => {
    const at = order.indexOf(key);
    return at < 0 ? order.length : at;
  };
  return panels.toSorted((a, b) => place(a.key) - place(b.key));
}

/** The order after `key` was put where `target` stands. */
export function moved(keys: readonly string[], key: string, target: string): string[] {
  const from = keys.indexOf(key);
  const to = keys.indexOf(target);
  if (from < 0 || to < 0 || from === to) return [...keys];
  const rest = keys.filter((one) => one !== key);
  rest.splice(to, 0, key);
  return rest;
}
