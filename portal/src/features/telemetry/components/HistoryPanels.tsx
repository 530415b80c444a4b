import { useLingui } from "@lingui/react/macro";
import { Skeleton } from "@mantine/core";
import { useQueries } from "@tanstack/react-query";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import type { Line, Range } from "@/charts/axis";
import { SeriesChart } from "@/charts/components/SeriesChart";
import { Ruler } from "@/charts/ruler";
import { countIn } from "@/charts/series";
import { Viewport } from "@/charts/viewport";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { type Channel, type ChartOf, chartsOf, panelsOf, type TelemetrySearch } from "../channels";
import { historyLine, useReasonWords } from "../lines";
import { useProfiles, versionsOf } from "../profiles";
import { pictureQuery, type SignalPicture } from "../queries";
import { Arranged } from "./Arranged";
import { ShownValues } from "./ShownValues";
import { ViewToolbar } from "./ViewToolbar";

type Props = {
  channels: readonly Channel[];
  /** What everything is, in seconds since 1970. */
  range: Range;
  /** A capture session, whose own profiles hold for it. */
  sessionId: string | null;
  /** Changes when what is stored has grown: then it is asked for again. */
  revision?: number;
  search: TelemetrySearch;
  onSearch: (change: Partial<TelemetrySearch>) => void;
  onZoom?: (zoom: Range | null) => void;
  actions?: ReactNode;
};

const points = 2000;

/** Charts of what is stored. A zoom asks for its part again, down to each single reading. */
export function HistoryPanels(props: Props) {
  const { channels, range, sessionId, search, onSearch, onZoom, actions } = props;
  const [zoom, setZoom] = useState<Range | null>(null);
  const [viewport] = useState(() => new Viewport(null));
  const [ruler] = useState(() => new Ruler());
  useEffect(() => {
    viewport.onRest = (chosen) => {
      setZoom(chosen);
      onZoom?.(chosen);
    };
  }, [viewport, onZoom]);
  const [from, to] = range;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another range begins as a whole
  useEffect(() => viewport.choose(null), [viewport, from, to]);
  const panels = panelsOf(channels, search.by ?? "signal", search.order);
  return (
    <>
      <ViewToolbar search={search} onSearch={onSearch}>
        {actions}
      </ViewToolbar>
      <Arranged panels={panels} onOrder={(order) => onSearch({ order })}>
        {(panel, asleep) =>
          chartsOf(panel).map((chart) => (
            <HistoryPanel
              key={chart.key}
              panel={chart}
              range={range}
              sessionId={sessionId}
              revision={props.revision}
              asleep={asleep}
              viewport={viewport}
              zoom={zoom}
              ruler={ruler}
            />
          ))
        }
      </Arranged>
    </>
  );
}

type PanelProps = Pick<Props, "range" | "sessionId" | "revision"> & {
  panel: ChartOf;
  asleep: boolean;
  viewport: Viewport;
  ruler: Ruler;
  zoom: Range | null;
};

function HistoryPanel(props: PanelProps) {
  const { panel, range, sessionId, revision, asleep, viewport, zoom } = props;
  const { t } = useLingui();
  const words = useReasonWords();
  const [maximised, setMaximised] = useState(false);
  const [logY, setLogY] = useState(false);
  const { channels } = panel;
  const [from, to] = range;
  const resting = asleep && !maximised;
  const wholes = useQueries({
    queries: channels.map(({ id, values }) => ({
      ...pictureQuery(id, { from, to, points, values, sessionId }, revision),
      enabled: !resting,
    })),
  });
  const kept = useKept(
    channels.map(({ id, values }, index) => [
      `${sessionId} ${from} ${values} ${id}`,
      wholes[index]?.data,
    ]),
  );
  const details = useQueries({
    queries: channels.map(({ id, values }, index) => ({
      ...pictureQuery(
        id,
        { from: zoom?.[0] ?? from, to: zoom?.[1] ?? to, points, values, sessionId },
        revision,
      ),
      // What was exact as a whole has nothing finer.
      enabled: !resting && zoom !== null && kept[index]?.exact === false,
    })),
  });
  const parts = channels.map((channel, index) => ({
    channel,
    whole: kept[index],
    detail: zoom ? details[index]?.data : undefined,
  }));
  const lines = useSame(
    parts.map(({ channel, whole, detail }) => ({
      made: (): Line => ({
        id: channel.id,
        label: channel.label,
        look: channels.length > 1 ? channel.look : 0,
        metric: channel.label,
        ...historyLine(channel, whole, detail, words),
      }),
      of: [channel.id, whole, detail],
    })),
  );
  const used = new Set(kept.flatMap((picture) => picture?.profileIds ?? []));
  const profiles = useProfiles(channels, used.size > 0 && !resting);
  const failed = wholes.find(({ error }, index) => error && !kept[index]);
  if (failed?.error) {
    return (
      <ErrorNotice error={failed.error} title={panel.title} onRetry={() => void failed.refetch()} />
    );
  }
  if (!kept.some((picture) => picture)) return <Skeleton height={276} aria-busy={!resting} />;
  const shown = lines.reduce((sum, { x }) => sum + countIn(x, zoom), 0);
  const stored = parts.reduce(
    (sum, { whole, detail }) => sum + (detail?.count ?? whole?.count ?? 0),
    0,
  );
  const exact = parts.every(({ whole, detail }) => detail?.exact ?? whole?.exact ?? true);
  const count = channels.length;
  const labels = channels.map(({ label }) => label).join(", ");
  return (
    <SeriesChart
      title={panel.title}
      lines={lines}
      description={count <= 4 ? labels : t`signals: ${count}`}
      axis="time"
      logX={false}
      logY={logY}
      smoothing={0}
      viewport={viewport}
      zoom={zoom}
      span={range}
      onView={(change) => {
        if (change.logY !== undefined) setLogY(change.logY);
      }}
      fixed={null}
      clip={false}
      fullness={{ shown, stored: exact ? shown : stored, exact }}
      averaged={false}
      live={false}
      refreshing={details.some(({ isFetching }) => isFetching)}
      asleep={resting}
      legend={count > 1}
      maximised={maximised}
      onMaximise={setMaximised}
      group="history"
      ruler={props.ruler}
      notes={
        <ShownValues
          values={panel.values}
          versions={versionsOf(profiles, channels, ({ id }) => used.has(id))}
        />
      }
    />
  );
}

/** The pictures, or those before them while newer ones are on their way: nothing flickers as a session grows. */
function useKept(
  pictures: readonly (readonly [key: string, picture: SignalPicture | undefined])[],
): (SignalPicture | undefined)[] {
  const [before] = useState(() => new Map<string, SignalPicture>());
  return pictures.map(([key, picture]) => {
    if (picture) before.set(key, picture);
    return before.get(key);
  });
}

/** Lines made again only when what they are made of is another. */
function useSame(parts: readonly { made: () => Line; of: readonly unknown[] }[]): Line[] {
  const [known] = useState(() => new Map<unknown, { of: readonly unknown[]; line: Line }>());
  const lines = parts.map(({ made, of }) => {
    const before = known.get(of[0]);
    if (before?.of.every((part, at) => Object.is(part, of[at]))) return before.line;
    const line = made();
    known.set(of[0], { of, line });
    return line;
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the list is the same while its members are
  return useMemo(() => lines, lines);
}
