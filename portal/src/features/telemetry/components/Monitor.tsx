import { Trans, useLingui } from "@lingui/react/macro";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo, useSyncExternalStore } from "react";
import type { Latest } from "@/api/generated/models/latest";
import type { Sensor } from "@/api/generated/models/sensor";
import { useFormats } from "@/ui/format";
import { channelId, channelsOf, convertedIn, type ShownChannel } from "../channels";
import type { LiveSignals } from "../live";
import { latestQuery } from "../queries";
import { useLiveSignals } from "../use-live-signals";
import { Sparkline } from "./Sparkline";
import classes from "./Telemetry.module.css";
import { StreamState } from "./ViewToolbar";

type Props = {
  sensors: readonly Sensor[];
  link: (sensor: Sensor, children: ReactNode) => ReactNode;
  health: (sensor: Sensor) => ReactNode;
};

const seconds = 60;
/** The worst first. */
const order = { offline: 0, delayed: 1, online: 2, never: 3 };

/** Every signal of the rig as a tile: value, sparkline, rate, latency, health. */
export function Monitor({ sensors, link, health }: Props) {
  const sorted = useMemo(
    () =>
      sensors.toSorted((a, b) => order[a.health] - order[b.health] || a.name.localeCompare(b.name)),
    [sensors],
  );
  const latest = useQuery(latestQuery(sensors.map(({ id }) => id).sort(), 2_000));
  const channels = useMemo(
    () => channelsOf(sorted, "physical", convertedIn(latest.data)) as ShownChannel[],
    [sorted, latest.data],
  );
  const live = useLiveSignals(channels, seconds);
  const state = useSyncExternalStore(live.subscribe, () => live.state);
  const lastOf = useMemo(
    () => new Map((latest.data ?? []).map((one) => [channelId(one.sensor_id, one.signal), one])),
    [latest.data],
  );
  const sensorOf = new Map(sorted.map((sensor) => [sensor.id, sensor]));
  return (
    <>
      <div className={classes.toolbar}>
        <span className={classes.spacer} />
        <StreamState state={state} paused={false} />
      </div>
      <ul className={classes.tiles}>
        {channels.map((channel) => {
          const sensor = sensorOf.get(channel.sensorId);
          return sensor ? (
            <Tile
              key={channel.id}
              channel={channel}
              live={live}
              latest={lastOf.get(channel.id)}
              stale={sensor.health !== "online"}
              name={link(sensor, `${sensor.name} · ${channel.signal}`)}
              health={health(sensor)}
            />
          ) : null;
        })}
      </ul>
    </>
  );
}

type TileProps = {
  channel: ShownChannel;
  live: LiveSignals;
  latest: Latest | undefined;
  stale: boolean;
  name: ReactNode;
  health: ReactNode;
};

/** Twice a second is enough for numbers that people read. */
const readEvery = 500;

function Tile({ channel, live, latest, stale, name, health }: TileProps) {
  const { t } = useLingui();
  const formats = useFormats();
  useSyncExternalStore(live.subscribe, () => Math.floor(performance.now() / readEvery));
  const edge = live.edge();
  const last = live.last(channel);
  const value = last?.value ?? latest?.[channel.values] ?? null;
  const latency = latest ? Math.max(0, latest.received_at - latest.t) / 1e6 : null;
  const rate = formats.number(live.rate(channel), { maximumFractionDigits: 1 });
  const late = latency === null ? "" : formats.duration(latency);
  return (
    <li className={classes.tile}>
      <div className={classes.tileHead}>
        {name}
        {health}
      </div>
      <span className={classes.value} data-stale={stale || undefined}>
        {value === null || Number.isNaN(value) ? "—" : formats.number(value)}{" "}
        <small>{channel.unit}</small>
      </span>
      <Sparkline curve={live.curve(channel, edge)} span={[edge - seconds, edge]} />
      <span className={classes.tileFoot}>
        <span title={t`Readings a second, over the last five`}>{rate} Hz</span>
        {latency === null ? null : (
          <span title={t`From the reading to the server, by the sensor's own clock`}>
            <Trans>latency {late}</Trans>
          </span>
        )}
      </span>
    </li>
  );
}
