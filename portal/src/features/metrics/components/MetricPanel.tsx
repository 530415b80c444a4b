import { Trans, useLingui } from "@lingui/react/macro";
import { Menu, MultiSelect, Skeleton } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useQueries } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { type Line, positions, type Range, stepsWithin } from "../axis";
import { type LiveRun, refetchAfter } from "../live";
import { useLive, useLiveValue } from "../live-context";
import { seriesQuery } from "../queries";
import { merged, noPoints, type Points, type Series } from "../series";
import type { ChartView } from "../view";
import classes from "./MetricPanels.module.css";
import { SeriesChart } from "./SeriesChart";

type Props = {
  runId: string;
  metric: string;
  /** The run's beginning, microseconds since 1970. */
  start: number;
  view: ChartView;
  onView: (change: Partial<ChartView>) => void;
  /** The last ordinal before new points were only counted; `null` while following. */
  pausedAt: number | null;
  /** Whether new points are kept out of the picture altogether. */
  frozen: boolean;
  onFollow: () => void;
  /** Everything that can be drawn into this panel too. */
  allMetrics: readonly string[];
};

export function MetricPanel(props: Props) {
  const { runId, metric, start, view, onView, pausedAt, frozen } = props;
  const { t } = useLingui();
  const live = useLive();
  const [choosing, setChoosing] = useState(false);
  const extra = view.overlays[metric];
  const metrics = useMemo(() => [metric, ...(extra ?? [])], [metric, extra]);
  const version = useLiveValue((stream) =>
    stream ? metrics.reduce((sum, key) => sum + stream.version(key), 0) : 0,
  );

  const wholes = useQueries({ queries: metrics.map((key) => seriesQuery(runId, key, null)) });
  const [zoom] = useDebouncedValue(view.zoom, 180);
  const details = useQueries({
    queries: metrics.map((key, index) => {
      const whole = wholes[index]?.data;
      const steps =
        zoom && whole && !whole.exact ? stepsWithin(whole, view.axis, start, zoom) : null;
      return { ...seriesQuery(runId, key, steps), enabled: steps !== null };
    }),
  });

  const until = frozen ? (pausedAt ?? undefined) : undefined;
  const first = wholes[0]?.data;
  const tail = first && live ? live.points(metric, first.ordinal).step.length : 0;
  const behind = first !== undefined && live !== null && first.ordinal < live.began;
  const stale = tail > refetchAfter || (behind && live.began !== Number.POSITIVE_INFINITY);
  const refetchers = wholes.map(({ refetch }) => refetch);
  // biome-ignore lint/correctness/useExhaustiveDependencies: asks again once for each time it turns stale
  useEffect(() => {
    if (stale) for (const refetch of refetchers) void refetch();
  }, [stale]);

  const wholeData = wholes.map(({ data }) => data);
  const detailData = details.map(({ data }) => data);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `version` says that `live` holds more
  const lines = useMemo(
    () =>
      metrics.map((key, index): Line => {
        const whole = wholeData[index];
        const points = pictured(whole, zoom ? detailData[index] : undefined, live, key, until);
        return { id: key, label: key, ...positions(points, view.axis, start) };
      }),
    [metrics, ...wholeData, ...detailData, zoom, live, version, until, view.axis, start],
  );

  const error = wholes.find((query) => query.error)?.error;
  if (error && !first) {
    return <ErrorNotice error={error} title={metric} onRetry={() => void wholes[0]?.refetch()} />;
  }
  if (!first) return <Skeleton className={classes.waiting} aria-busy />;

  const detail = zoom ? details[0]?.data : undefined;
  const exact = first.exact || (detail?.exact ?? false);
  return (
    <>
      <SeriesChart
        title={metric}
        lines={lines}
        axis={view.axis}
        logY={view.logY}
        smoothing={view.smoothing}
        zoom={view.zoom}
        onZoom={(range) => onView({ zoom: range })}
        onView={onView}
        fullness={{
          shown: inView(lines[0], view.zoom),
          stored: exact ? inView(lines[0], view.zoom) : (detail ?? first).count + tail,
          exact,
        }}
        live={live !== null && live.state !== "ended"}
        fresh={pausedAt === null ? 0 : (live?.points(metric, pausedAt).step.length ?? 0)}
        onFollow={props.onFollow}
        refreshing={details.some(({ isFetching }) => isFetching)}
        group={`run-${view.axis}`}
        menu={
          <Menu.Item
            leftSection={<IconPlus size={16} aria-hidden />}
            onClick={() => setChoosing(true)}
          >
            <Trans>Draw other metrics in here…</Trans>
          </Menu.Item>
        }
      />
      {choosing ? (
        <MultiSelect
          size="xs"
          autoFocus
          searchable
          label={t`Also drawn in ${metric}`}
          data={props.allMetrics.filter((key) => key !== metric)}
          value={extra ?? []}
          maxValues={7}
          onChange={(chosen) => onView({ overlays: { ...view.overlays, [metric]: chosen } })}
          onBlur={() => setChoosing(false)}
        />
      ) : null}
    </>
  );
}

/** What is drawn of a metric: coarse where nobody looks closely, fine inside the zoom, then what came live. */
function pictured(
  whole: Series | undefined,
  detail: Series | undefined,
  live: LiveRun | null,
  key: string,
  until: number | undefined,
): Points {
  if (!whole) return noPoints;
  const base = detail && detail.step.length > 0 ? refined(whole, detail) : whole;
  return live ? merged(base, live.points(key, whole.ordinal, until)) : base;
}

function refined(whole: Points, detail: Points): Points {
  const from = detail.step[0] ?? 0;
  const to = detail.step.at(-1) ?? 0;
  const outside = (keep: (step: number) => boolean): Points => {
    const kept = whole.step.flatMap((step, index) => (keep(step) ? [index] : []));
    return {
      step: kept.map((index) => whole.step[index] ?? 0),
      value: kept.map((index) => whole.value[index] ?? 0),
      time: kept.map((index) => whole.time[index] ?? 0),
    };
  };
  return merged(
    merged(
      outside((step) => step < from),
      detail,
    ),
    outside((step) => step > to),
  );
}

function inView(line: Line | undefined, zoom: Range | null): number {
  if (!line) return 0;
  return zoom ? line.x.filter((x) => x >= zoom[0] && x <= zoom[1]).length : line.x.length;
}
