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
  /** Metrics that the page knows of already. */
  metrics?: readonly string[];
  /** What the address and saved views keep of the charts. */
  state: Readonly<Record<string, unknown>>;
  onState: (change: Record<string, unknown>) => void;
  onHide: (runId: string, hidden: boolean) => void;
};

const noKeys: readonly string[] = [];
/** How many runs are asked for all their keys: with those that the page knows, hardly any is missed. */
const askedRuns = 3;

/** The charts of many runs: one panel for each metric, all runs in each. */
export default function RunsCharts({ runs, metrics = noKeys, state, onState, onHide }: Props) {
  const view = useMemo(() => viewIn(state), [state]);
  const latest = useRef({ view, onState });
  useEffect(() => {
    latest.current = { view, onState };
  });
  const onView = useCallback((change: Partial<ChartView>) => {
    latest.current.onState(searchFrom({ ...latest.current.view, ...change }));
  }, []);
  const drawn = runs.filter(({ hidden }) => !hidden);
  return (
    <LiveRunsProvider runs={drawn}>
      <Board {...{ runs, metrics, view, onView, onHide }} />
    </LiveRunsProvider>
  );
}

type BoardProps = {
  runs: readonly ChartRun[];
  metrics: readonly string[];
  view: ChartView;
  onView: (change: Partial<ChartView>) => void;
  onHide: Props["onHide"];
};

function Board({ runs, metrics, view, onView, onHide }: BoardProps) {
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
    () => [...new Set([...metrics, ...found.flatMap((one) => one ?? noKeys), ...liveKeys])],
    [metrics, liveKeys, ...found],
  );
  if (keys.length === 0) {
    if (asked.some(({ isPending }) => isPending)) return <PanelSkeletons />;
    return (
      <EmptyState icon={<IconChartLine size={24} />} title={t`No metrics yet`}>
        <Trans>
          These runs have logged nothing. One line does it: run.log({"{"}"loss": loss{"}"})
        </Trans>
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
