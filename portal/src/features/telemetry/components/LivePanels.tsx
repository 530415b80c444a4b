import { Trans, useLingui } from "@lingui/react/macro";
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import type { Line, Range } from "@/charts/axis";
import { SeriesChart } from "@/charts/components/SeriesChart";
import { Ruler, useRuler } from "@/charts/ruler";
import { Viewport } from "@/charts/viewport";
import { useFormats } from "@/ui/format";
import {
  type Channel,
  type ChartOf,
  chartsOf,
  type PanelOf,
  panelsOf,
  type TelemetrySearch,
} from "../channels";
import { liveLine, useReasonWords } from "../lines";
import type { LiveSignals, Over } from "../live";
import { useProfiles, versionsOf } from "../profiles";
import { useLiveSignals } from "../use-live-signals";
import { Arranged } from "./Arranged";
import { ShownValues } from "./ShownValues";
import { ViewToolbar } from "./ViewToolbar";

type Props = {
  channels: readonly Channel[];
  /** Sessions that have stopped: what arrives for them is marked. */
  over?: readonly Over[];
  search: TelemetrySearch;
  onSearch: (change: Partial<TelemetrySearch>) => void;
};

/** Charts that move with what sensors send. A zoom holds them still until somebody follows again. */
export function LivePanels({ channels, over, search, onSearch }: Props) {
  const seconds = search.window ?? 60;
  const values = search.values ?? "physical";
  const live = useLiveSignals(channels, seconds, over);
  const state = useSyncExternalStore(live.subscribe, () => live.state);
  const [paused, setPaused] = useState(false);
  const [zoom, setZoom] = useState<Range | null>(null);
  const [viewport] = useState(() => new Viewport(null));
  const [ruler] = useState(() => new Ruler());
  // Whoever measures looks at one picture.
  const measures = useRuler(ruler) !== null;
  useEffect(() => {
    if (measures) setPaused(true);
  }, [measures]);
  useEffect(() => {
    viewport.onRest = setZoom;
  }, [viewport]);
  // Another window begins anew, with nothing held.
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever these change
  useEffect(() => {
    viewport.choose(null);
    setPaused(false);
  }, [viewport, seconds, values]);
  const panels = panelsOf(channels, search.by ?? "signal", search.order);
  const held = paused || zoom !== null;
  const go = () => {
    setPaused(false);
    ruler.set(null);
    viewport.choose(null);
  };
  return (
    <>
      <ViewToolbar
        search={search}
        onSearch={onSearch}
        live={{ state, paused: held, onPause: (pause) => (pause ? setPaused(true) : go()) }}
      />
      <Arranged
        panels={panels}
        onOrder={(order) => onSearch({ order })}
        facts={(panel) => <PanelFacts live={live} panel={panel} />}
      >
        {(panel, asleep) =>
          chartsOf(panel).map((chart) => (
            <LivePanel
              key={chart.key}
              panel={chart}
              live={live}
              seconds={seconds}
              held={held}
              asleep={asleep}
              viewport={viewport}
              zoom={zoom}
              onFollow={go}
              ruler={ruler}
            />
          ))
        }
      </Arranged>
    </>
  );
}

type PanelProps = {
  panel: ChartOf;
  live: LiveSignals;
  seconds: number;
  held: boolean;
  asleep: boolean;
  viewport: Viewport;
  zoom: Range | null;
  onFollow: () => void;
  ruler: Ruler;
};

type Shown = { lines: Line[]; span: Range; received: number };

function LivePanel({
  panel,
  live,
  seconds,
  held,
  asleep,
  viewport,
  zoom,
  onFollow,
  ruler,
}: PanelProps) {
  const { t } = useLingui();
  const words = useReasonWords();
  const profiles = useProfiles(panel.channels, panel.values === "physical");
  const [maximised, setMaximised] = useState(false);
  const [logY, setLogY] = useState(false);
  const resting = asleep && !maximised;
  const seen = useRef(0);
  const version = useSyncExternalStore(live.subscribe, () => {
    if (!resting) seen.current = live.version;
    return seen.current;
  });
  const last = useRef<Shown | null>(null);
  const names = panel.channels.map(({ id }) => id).join("\n");
  // biome-ignore lint/correctness/useExhaustiveDependencies: made again for each picture, by its version
  const shown = useMemo<Shown>(() => {
    if (held && last.current) return last.current;
    const edge = live.edge();
    return {
      span: [edge - seconds, edge],
      lines: panel.channels.map((channel) => ({
        id: channel.id,
        label: channel.label,
        look: panel.channels.length > 1 ? channel.look : 0,
        metric: channel.label,
        ...liveLine(channel, live, edge, seconds, words),
      })),
      received: panel.channels.reduce((sum, one) => sum + live.received(one), 0),
    };
  }, [version, held, names, seconds, live]);
  useEffect(() => {
    last.current = shown;
  });
  const fresh = held
    ? panel.channels.reduce((sum, one) => sum + live.received(one), 0) - shown.received
    : 0;
  const points = shown.lines.reduce((sum, { x }) => sum + x.length, 0);
  const count = panel.channels.length;
  const labels = panel.channels.map(({ label }) => label).join(", ");
  return (
    <SeriesChart
      title={panel.title}
      lines={shown.lines}
      description={count <= 4 ? labels : t`signals: ${count}`}
      axis="time"
      logX={false}
      logY={logY}
      smoothing={0}
      viewport={viewport}
      zoom={zoom}
      span={shown.span}
      onView={(change) => {
        if (change.logY !== undefined) setLogY(change.logY);
      }}
      fixed={null}
      clip={false}
      fullness={{ shown: points, stored: points, exact: true }}
      averaged={false}
      live
      fresh={fresh}
      onFollow={onFollow}
      asleep={resting}
      legend={count > 1}
      maximised={maximised}
      onMaximise={setMaximised}
      group="live"
      ruler={ruler}
      notes={
        <ShownValues
          values={panel.values}
          versions={versionsOf(profiles, panel.channels, ({ state }) => state === "active")}
        />
      }
    />
  );
}

/** Rate and age, a few times a second at most. */
function PanelFacts({ live, panel }: { live: LiveSignals; panel: PanelOf }) {
  const formats = useFormats();
  // Once a second is enough for words.
  useSyncExternalStore(live.subscribe, () => Math.floor(performance.now() / 1000));
  const { channels } = chartsOf(panel)[0] ?? { channels: [] };
  const rate = channels.reduce((sum, one) => sum + live.rate(one), 0);
  const newest = Math.max(...channels.map((one) => live.last(one)?.time ?? 0));
  if (newest === 0) return <Trans>waiting for the first reading</Trans>;
  const age = Date.now() / 1000 - newest;
  const hertz = formats.number(rate, { maximumFractionDigits: 1 });
  const ago = formats.duration(Math.max(0, age));
  return age > 5 ? <Trans>last reading {ago} ago</Trans> : <>{hertz} Hz</>;
}
