import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Skeleton } from "@mantine/core";
import { IconChartLine, IconSearchOff } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorNotice } from "@/ui/ErrorNotice";
import type { LiveRun } from "../live";
import { useLive, useLiveValue } from "../live-context";
import { runMetricsQuery } from "../queries";
import { bySection } from "../series";
import type { ChartView } from "../view";
import { ChartToolbar } from "./ChartToolbar";
import { MetricPanel } from "./MetricPanel";
import classes from "./MetricPanels.module.css";

type Props = {
  runId: string;
  /** When the run started, RFC 3339. */
  startedAt: string;
  view: ChartView;
  onView: (change: Partial<ChartView>) => void;
  /** Shown where the run has no metric yet. */
  hint: ReactNode;
};

/** Beyond this many metrics the sections start closed, so that opening the page stays quick. */
const openUpTo = 200;
const noKeys: readonly string[] = [];

/** One chart for each metric of a run, in sections by their prefix, drawn when they come into view. */
export function MetricPanels({ runId, startedAt, view, onView, hint }: Props) {
  const { t } = useLingui();
  const live = useLive();
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    runMetricsQuery(runId),
  );
  const liveKeys = useLiveValue((stream) => stream?.keys() ?? noKeys);
  const state = useLiveValue((stream) => stream?.state ?? "ended");
  const keys = useMemo(() => {
    const known = data?.pages.flatMap(({ items }) => items.map(({ key }) => key)) ?? [];
    return [...new Set([...known, ...liveKeys])];
  }, [data, liveKeys]);
  const [paused, setPaused] = useState(false);
  const pausedAt = useOrdinalWhen(live, view.zoom !== null || paused);

  if (error && !data) {
    return (
      <ErrorNotice
        error={error}
        title={t`The metrics could not be loaded`}
        onRetry={() => void refetch()}
      />
    );
  }
  if (!data) return <PanelSkeletons />;
  if (keys.length === 0) {
    return (
      <EmptyState
        icon={<IconChartLine size={24} />}
        title={t`No metrics yet`}
        titleOrder={2}
        more={hint}
      >
        <Trans>The first value that the run logs appears here by itself.</Trans>
      </EmptyState>
    );
  }

  const shown = keys.filter(matcher(view.filter));
  const start = Date.parse(startedAt) * 1000;
  return (
    <>
      <ChartToolbar view={view} onView={onView} state={state} paused={paused} onPause={setPaused} />
      {shown.length === 0 ? (
        <EmptyState
          icon={<IconSearchOff size={24} />}
          title={t`No metric has this in its name`}
          titleOrder={2}
          actions={
            <Button variant="default" onClick={() => onView({ filter: "" })}>
              <Trans>Show all metrics</Trans>
            </Button>
          }
        >
          <Trans>The search looks at the whole key and understands regular expressions.</Trans>
        </EmptyState>
      ) : null}
      {bySection(shown).map(({ section, keys: members }) => (
        <details
          key={section}
          className={classes.section}
          open={shown.length <= openUpTo || view.filter !== ""}
        >
          <summary>
            <h2>{section || t`Metrics`}</h2>
            <span className={classes.count}>
              <Plural value={members.length} one="# metric" other="# metrics" />
            </span>
          </summary>
          <div className={classes.grid}>
            {members.map((metric) => (
              <WhenNear key={metric} label={metric}>
                <MetricPanel
                  runId={runId}
                  metric={metric}
                  start={start}
                  view={view}
                  onView={onView}
                  pausedAt={pausedAt}
                  frozen={paused}
                  onFollow={() => setPaused(false)}
                  allMetrics={keys}
                />
              </WhenNear>
            ))}
          </div>
        </details>
      ))}
      {hasNextPage ? (
        <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          <Trans>Show more metrics</Trans>
        </Button>
      ) : null}
    </>
  );
}

/** How far the stream had come when `held` became true; `null` while it is not. */
function useOrdinalWhen(live: LiveRun | null, held: boolean): number | null {
  const [ordinal, setOrdinal] = useState<number | null>(null);
  useEffect(() => setOrdinal(held && live ? live.last : null), [live, held]);
  return ordinal;
}

/** Whether a key matches what was typed: as a regular expression, or word for word where it is none. */
function matcher(filter: string): (key: string) => boolean {
  if (!filter) return () => true;
  try {
    const pattern = new RegExp(filter, "i");
    return (key) => pattern.test(key);
  } catch {
    const words = filter.toLowerCase();
    return (key) => key.toLowerCase().includes(words);
  }
}

/** Keeps the place of a panel and fills it once it comes near the window. */
function WhenNear({ label, children }: { label: string; children: ReactNode }) {
  const place = useRef<HTMLDivElement>(null);
  const [near, setNear] = useState(typeof IntersectionObserver === "undefined");
  useEffect(() => {
    if (near || !place.current) return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) setNear(true);
      },
      { rootMargin: "300px" },
    );
    observer.observe(place.current);
    return () => observer.disconnect();
  }, [near]);
  return (
    <div ref={place} className={classes.panel}>
      {near ? children : <div className={classes.waiting} aria-hidden title={label} />}
    </div>
  );
}

function PanelSkeletons() {
  return (
    <div className={classes.grid} aria-busy="true">
      {["a", "b", "c", "d"].map((name) => (
        <Skeleton key={name} className={classes.waiting} />
      ))}
    </div>
  );
}
