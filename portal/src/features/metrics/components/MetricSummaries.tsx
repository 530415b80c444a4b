import { Trans, useLingui } from "@lingui/react/macro";
import { useInfiniteQuery } from "@tanstack/react-query";
import type { Metric } from "@/api/generated/models/metric";
import { numberOf } from "@/charts/series";
import { wordsFor } from "@/charts/ticks";
import { type DataColumn, DataTable } from "@/ui/DataTable";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { Panel } from "@/ui/Panel";
import { useLive, useLiveValue } from "../live-context";
import { runMetricsQuery } from "../queries";
import classes from "./MetricPanels.module.css";

/** Each metric of a run with its last value and range; the last value ticks while the run goes on. */
export function MetricSummaries({ runId }: { runId: string }) {
  const { t, i18n } = useLingui();
  const live = useLive();
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    runMetricsQuery(runId),
  );
  const words = wordsFor(i18n.locale);
  const rows = data?.pages.flatMap(({ items }) => items);
  // Drawn again with every batch; the cells read what has arrived.
  useLiveValue((stream) => stream?.last(runId) ?? 0);
  const newest = ({ key, last_step, last_value }: Metric) => {
    const points = live?.points(runId, key, 0);
    const step = points?.step.at(-1);
    const value = points?.value.at(-1);
    return step !== undefined && value !== undefined && step >= last_step
      ? { step, value }
      : { step: last_step, value: numberOf(last_value) };
  };
  const number = { numeric: true };
  const columns: DataColumn<Metric>[] = [
    { id: "key", header: t`Metric`, cell: ({ row }) => row.original.key },
    {
      id: "last",
      header: t`Last`,
      meta: number,
      cell: ({ row }) => words.value(newest(row.original).value),
    },
    {
      id: "step",
      header: t`Step`,
      meta: number,
      cell: ({ row }) => words.place("step", newest(row.original).step),
    },
    {
      id: "min",
      header: t`Min`,
      meta: number,
      cell: ({ row: { original } }) => reached(original.min, original.min_step),
    },
    {
      id: "max",
      header: t`Max`,
      meta: number,
      cell: ({ row: { original } }) => reached(original.max, original.max_step),
    },
  ];
  const reached = (value: Metric["min"], step: number | null | undefined) => {
    if (value === null) return "—";
    const at = step == null ? "" : words.place("step", step);
    return <span title={at && t`at step ${at}`}>{words.value(numberOf(value))}</span>;
  };
  if (error && !data) {
    return (
      <ErrorNotice
        error={error}
        title={t`The metrics could not be loaded`}
        onRetry={() => void refetch()}
      />
    );
  }
  return (
    <Panel title={t`Metrics`} flush>
      <DataTable
        label={t`Metrics`}
        columns={columns}
        rows={rows}
        rowId={({ key }) => key}
        empty={
          <p className={classes.nothing}>
            <Trans>Nothing has been logged yet.</Trans>
          </p>
        }
        onMore={hasNextPage ? () => void fetchNextPage() : undefined}
        loadingMore={isFetchingNextPage}
      />
    </Panel>
  );
}
