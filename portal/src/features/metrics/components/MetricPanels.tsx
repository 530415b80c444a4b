import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Skeleton } from "@mantine/core";
import { IconChartLine } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { useLiveValue } from "../live-context";
import { runMetricsQuery } from "../queries";
import type { ChartRun } from "../runs";
import type { ChartView } from "../view";
import { ChartsBoard } from "./ChartsBoard";
import classes from "./MetricPanels.module.css";

type Props = {
  run: ChartRun;
  view: ChartView;
  onView: (change: Partial<ChartView>) => void;
  /** Shown where the run has no metric yet. */
  hint: ReactNode;
};

const noKeys: readonly string[] = [];

/** The charts of one run. */
export function MetricPanels({ run, view, onView, hint }: Props) {
  const { t } = useLingui();
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    runMetricsQuery(run.id),
  );
  const liveKeys = useLiveValue((stream) => stream?.keys() ?? noKeys);
  const keys = useMemo(() => {
    const known = data?.pages.flatMap(({ items }) => items.map(({ key }) => key)) ?? [];
    return [...new Set([...known, ...liveKeys])];
  }, [data, liveKeys]);
  const runs = useMemo(() => [run], [run]);

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
  return (
    <ChartsBoard
      runs={runs}
      keys={keys}
      view={view}
      onView={onView}
      more={
        hasNextPage ? (
          <Button
            variant="default"
            mt="md"
            loading={isFetchingNextPage}
            onClick={() => void fetchNextPage()}
          >
            <Trans>Load more metrics</Trans>
          </Button>
        ) : null
      }
    />
  );
}

export function PanelSkeletons() {
  return (
    <div className={classes.grid} aria-busy="true">
      {["a", "b", "c", "d"].map((name) => (
        <Skeleton key={name} className={classes.waiting} />
      ))}
    </div>
  );
}
