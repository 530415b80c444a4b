import { Trans, useLingui } from "@lingui/react/macro";
import { Group, MultiSelect, Select, Skeleton, Stack, Text } from "@mantine/core";
import { useQueries, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import type { CaptureSession } from "@/api/generated/models/captureSession";
import type { ComparedRun } from "@/api/generated/models/comparedRun";
import type { Track } from "@/api/generated/models/track";
import type { Line, Range } from "@/charts/axis";
import { SeriesChart } from "@/charts/components/SeriesChart";
import { Viewport } from "@/charts/viewport";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { captureEventsQuery, captureQuery, overlayQuery } from "../queries";
import classes from "./Comparison.module.css";

export type OverlayView = {
  /** `sensor id` and signal with a slash between. */
  signals: readonly string[];
  /** What the events say that stand at 0; missing for the start. */
  align?: string;
};

type Props = {
  runs: readonly ComparedRun[];
  view: OverlayView;
  onView: (view: Partial<OverlayView>) => void;
};

const mostTracks = 24;

/** Readings of the runs' capture sessions over each other, each along its own time. */
export function TelemetryOverlay({ runs, view, onView }: Props) {
  const { t } = useLingui();
  const asked = useQueries({ queries: runs.map(({ id }) => captureQuery(id)) });
  const pending = asked.some(({ isPending }) => isPending);
  const sessions = asked.flatMap(({ data }) => data ?? []);
  const newest = new Map<string, CaptureSession>();
  // The last one of each run: what was recorded before it was mostly a try.
  for (const one of sessions) {
    const before = newest.get(one.run_id);
    if (!before || one.ordinal > before.ordinal) newest.set(one.run_id, one);
  }
  const chosen = [...newest.values()];
  const signals = new Map(
    chosen.flatMap(({ sensors }) =>
      sensors.flatMap(({ sensor_id, name, signals }) =>
        signals.map((signal): [string, string] => [
          `${sensor_id}/${signal.name}`,
          `${name} · ${signal.name}`,
        ]),
      ),
    ),
  );
  const marked = useQueries({ queries: chosen.map(({ id }) => captureEventsQuery(id)) });
  const labels = [...new Set(marked.flatMap(({ data }) => data?.map(({ text }) => text) ?? []))];
  const first = [...signals.keys()].slice(0, 1);
  const drawn = view.signals.filter((one) => signals.has(one));
  const shown = drawn.length > 0 ? drawn : first;
  const perSignal = Math.max(1, Math.floor(mostTracks / Math.max(1, shown.length)));
  const tracks = shown.flatMap((one) =>
    chosen.slice(0, perSignal).flatMap((session, place): Track[] => {
      const [sensorId = "", signal = ""] = split(one);
      const of = session.sensors.find(({ sensor_id }) => sensor_id === sensorId);
      if (!of?.signals.some(({ name }) => name === signal)) return [];
      const event = marked[place]?.data?.find(({ text }) => text === view.align);
      const align = view.align && event ? event.id : "start";
      return [{ capture_session_id: session.id, sensor_id: sensorId, signal, align }];
    }),
  );
  if (pending) return <Skeleton height={320} />;
  if (chosen.length === 0) {
    return (
      <p
        className={classes.nothing}
      >{t`These runs have no capture sessions to lay over each other.`}</p>
    );
  }
  return (
    <Stack gap="md">
      <Group align="end" gap="sm">
        <MultiSelect
          size="xs"
          label={t`Signals`}
          data={[...signals].map(([value, label]) => ({ value, label }))}
          value={[...shown]}
          maxValues={6}
          searchable
          onChange={(signals) => onView({ signals })}
        />
        <Select
          size="xs"
          label={t`Time 0 is`}
          data={[
            { value: "", label: t`the start of the recording` },
            ...labels
              .filter(Boolean)
              .map((label) => ({ value: label, label: t`event “${label}”` })),
          ]}
          allowDeselect={false}
          value={view.align ?? ""}
          onChange={(align) => onView({ align: align || undefined })}
        />
      </Group>
      <Text size="sm" c="dimmed">
        <Trans>The last capture session of each run, along its own time.</Trans>
      </Text>
      {tracks.length > 0 ? <Overlay runs={runs} signals={signals} tracks={tracks} /> : null}
    </Stack>
  );
}

type OverlayProps = {
  runs: readonly ComparedRun[];
  signals: ReadonlyMap<string, string>;
  tracks: readonly Track[];
};

function Overlay({ runs, signals, tracks }: OverlayProps) {
  const { t } = useLingui();
  const found = useQuery(overlayQuery(tracks));
  const [maximised, setMaximised] = useState("");
  const [zoom, setZoom] = useState<Range | null>(null);
  const viewport = useMemo(() => new Viewport(null), []);
  viewport.onRest = setZoom;
  if (found.error) {
    return (
      <ErrorNotice
        title={t`The readings could not be laid over each other`}
        error={found.error}
        onRetry={() => void found.refetch()}
      />
    );
  }
  if (!found.data) return <Skeleton height={320} />;
  const bySignal = Map.groupBy(
    found.data.tracks,
    ({ sensor_id, signal }) => `${sensor_id}/${signal}`,
  );
  return (
    <div className={classes.charts}>
      {[...bySignal].map(([key, members]) => {
        const lines = members.map((track): Line => {
          const place = runs.findIndex(({ id }) => id === track.run_id);
          const name = runs[place]?.name ?? track.session_name;
          return {
            id: track.capture_session_id,
            label: name,
            look: Math.max(0, place),
            metric: track.signal,
            x: track.t.map((time) => time / 1e6),
            y: track.values.map((value) => value ?? Number.NaN),
            coarse: !track.exact,
          };
        });
        const shown = lines.reduce((sum, { x }) => sum + x.length, 0);
        const stored = members.reduce((sum, { count }) => sum + count, 0);
        const unit = members[0]?.unit;
        const title = `${signals.get(key) ?? key}${unit ? `, ${unit}` : ""}`;
        const count = lines.length;
        return (
          <SeriesChart
            key={key}
            title={title}
            lines={lines}
            description={t`runs: ${count}`}
            axis="relative"
            logX={false}
            logY={false}
            smoothing={0}
            viewport={viewport}
            zoom={zoom}
            onView={() => undefined}
            fixed={null}
            clip={false}
            fullness={{ shown, stored, exact: members.every(({ exact }) => exact) }}
            averaged={false}
            live={false}
            asleep={false}
            legend
            maximised={maximised === key}
            onMaximise={(on) => setMaximised(on ? key : "")}
            group="overlay"
          />
        );
      })}
    </div>
  );
}

const split = (key: string): [string, string] => [key.slice(0, 36), key.slice(37)];
