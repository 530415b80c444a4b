import { Trans, useLingui } from "@lingui/react/macro";
import { IconChartLine } from "@tabler/icons-react";
import { useQueries } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef } from "react";
import { EmptyState } from "@/ui/EmptyState";
import { LiveRunsProvider, useLiveValue } from "../live-context";
import { metricKeysQuery } from "../queries";
import type { ChartRun } from "../runs";
import { type ChartView, searchFrom, viewIn } from "../view";
import { ChartsBoard } from "./ChartsBoard";
import { PanelSkeletons } from "./MetricPanels";
import { RunsLegend } from "./RunsLegend";

type Props = {
  runs: readonly ChartRun[];
  /** What the address and saved views keep of the charts. */
  state: Readonly<Record<string, unknown>>;
  onState: (change: Record<string, unknown>) => void;
  onHide: (runId: string, hidden: boolean) => void;
};

const noKeys: readonly string[] = [];
/** How many runs are asked for their keys: runs that stand together mostly log the same. */
const askedRuns = 6;

/** The charts of many runs: one panel for each metric, all runs in each. */
export default function RunsCharts({ runs, state, onState, onHide }: Props) {
  const view = useMemo(() => viewIn(state), [state]);
  const latest = useRef({ view, onState });
  useEffect(() => {
    latest.current = { view, onState };
  });
  const onView = useCallback((change: Partial<ChartView>) => {
    // Of two changes in one moment the second builds on the first.
    latest.current.view = { ...latest.current.view, ...change };
    latest.current.onState(searchFrom(latest.current.view));
  }, []);
  const drawn = runs.filter(({ hidden }) => !hidden);
  return (
    <LiveRunsProvider runs={drawn}>
      <Board {...{ runs, view, onView, onHide }} />
    </LiveRunsProvider>
  );
}

type BoardProps = {
  runs: readonly ChartRun[];
  view: ChartView;
  onView: (change: Partial<ChartView>) => void;
  onHide: Props["onHide"];
};

function Board({ runs, view, onView, onHide }: BoardProps) {
  const { t } = useLingui();
  const asked = useQueries({
    queries: runs
      .filter(({ hidden }) => !hidden)
      .slice(0, askedRuns)
      .map(({ id }) => metricKeysQuery(id)),
  });
  const liveKeys = useLiveValue((stream) => stream?.keys() ?? noKeys);
  const found = asked.map(({ data }) => data);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the answers themselves
  const keys = useMemo(
    () => [...new Set([...found.flatMap((one) => one ?? noKeys), ...liveKeys])],
    [liveKeys, ...found],
  );
  if (keys.length === 0) {
    if (asked.some(({ isPending }) => isPending)) return <PanelSkeletons />;
    return (
      <EmptyState icon={<IconChartLine size={24} />} title={t`No metrics yet`}>
        <Trans>These runs have not logged any value yet.</Trans>
      </EmptyState>
    );
  }
  return (
    <ChartsBoard
      runs={runs}
      keys={keys}
      view={view}
      onView={onView}
      legend={
        <RunsLegend
          runs={runs}
          only={view.only}
          onOnly={(only) => onView({ only })}
          onHide={onHide}
        />
      }
    />
  );
}
