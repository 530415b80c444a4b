import { Trans, useLingui } from "@lingui/react/macro";
import { Group, MultiSelect, SegmentedControl, Select, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import type { ComparedRuns } from "@/api/generated/models/comparedRuns";
import type { Line, Range } from "@/charts/axis";
import { SeriesChart } from "@/charts/components/SeriesChart";
import { Viewport } from "@/charts/viewport";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { TableSkeleton } from "@/ui/TableSkeleton";
import { type GroupView, linesOf, looksOf, mostMetrics } from "../groups";
import { groupsQuery } from "../queries";
import classes from "./Comparison.module.css";

type Props = {
  compared: ComparedRuns;
  view: GroupView;
  onView: (view: Partial<GroupView>) => void;
};

/** Each metric over groups of runs: a line for what stands for a group, and a band for how far it reaches. */
export function GroupCharts({ compared, view, onView }: Props) {
  const { t } = useLingui();
  const { runs, metrics, params } = compared;
  const runIds = useMemo(() => runs.map(({ id }) => id), [runs]);
  const { axis } = view;
  const series = useQuery({ ...groupsQuery(runIds, view), enabled: view.metrics.length > 0 });
  const all = t`all runs`;
  const [zoom, setZoom] = useState<Range | null>(null);
  const viewport = useMemo(() => new Viewport(null), []);
  viewport.onRest = setZoom;
  const charts = useMemo(() => {
    if (!series.data) return [];
    const looks = looksOf(series.data, all);
    return series.data.metrics.map((metric) => ({
      key: metric.key,
      lines: linesOf(metric, axis, looks, all),
    }));
  }, [series.data, axis, all]);
  const bandNames = { std: t`± one deviation`, minmax: t`Least to greatest`, none: t`No band` };
  return (
    <Stack gap="md">
      <Group align="end" gap="sm">
        <MultiSelect
          size="xs"
          label={t`Group by`}
          placeholder={view.by.length === 0 ? t`All runs together` : undefined}
          data={params.map(({ key }) => key)}
          value={[...view.by]}
          maxValues={5}
          clearable
          onChange={(by) => onView({ by })}
        />
        <MultiSelect
          size="xs"
          label={t`Metrics`}
          data={metrics.map(({ key }) => key)}
          value={[...view.metrics]}
          maxValues={mostMetrics}
          searchable
          onChange={(chosen) => onView({ metrics: chosen })}
        />
        <Select
          size="xs"
          label={t`Band`}
          allowDeselect={false}
          data={Object.entries(bandNames).map(([value, label]) => ({ value, label }))}
          value={view.band}
          onChange={(band) => onView({ band: (band ?? "std") as GroupView["band"] })}
        />
        <SegmentedControl
          size="xs"
          aria-label={t`What stands for a group`}
          data={[
            { value: "mean", label: t`Mean` },
            { value: "median", label: t`Median` },
          ]}
          value={view.center}
          onChange={(center) => onView({ center: center as GroupView["center"] })}
        />
        <SegmentedControl
          size="xs"
          aria-label={t`What runs along the bottom`}
          data={[
            { value: "step", label: t`Step` },
            { value: "time", label: t`Time` },
            { value: "relative", label: t`Since the start` },
          ]}
          value={axis}
          onChange={(chosen) => {
            viewport.choose(null);
            onView({ axis: chosen as GroupView["axis"] });
          }}
        />
      </Group>
      {series.error ? (
        <ErrorNotice
          title={t`The groups could not be worked out`}
          error={series.error}
          onRetry={() => void series.refetch()}
        />
      ) : null}
      {view.metrics.length === 0 ? (
        <Text c="dimmed">
          <Trans>Choose a metric to draw.</Trans>
        </Text>
      ) : series.data ? (
        <div className={classes.charts} aria-busy={series.isPlaceholderData}>
          {charts.map(({ key, lines }) => (
            <GroupChart
              key={key}
              title={key}
              lines={lines}
              axis={axis}
              viewport={viewport}
              zoom={zoom}
            />
          ))}
        </div>
      ) : series.error ? null : (
        <TableSkeleton columns={3} />
      )}
    </Stack>
  );
}

type ChartProps = {
  title: string;
  lines: readonly Line[];
  axis: GroupView["axis"];
  viewport: Viewport;
  zoom: Range | null;
};

function GroupChart({ title, lines, axis, viewport, zoom }: ChartProps) {
  const { t } = useLingui();
  const [maximised, setMaximised] = useState(false);
  const [logY, setLogY] = useState(false);
  const shown = lines.reduce((sum, { x }) => sum + x.length, 0);
  const count = lines.length;
  return (
    <SeriesChart
      title={title}
      lines={lines}
      description={t`groups: ${count}`}
      axis={axis}
      logX={false}
      logY={logY}
      smoothing={0}
      viewport={viewport}
      zoom={zoom}
      onView={(change) => {
        if (change.logY !== undefined) setLogY(change.logY);
      }}
      fixed={null}
      clip={false}
      fullness={{ shown, stored: shown, exact: true }}
      averaged
      live={false}
      asleep={false}
      legend
      maximised={maximised}
      onMaximise={setMaximised}
      group="groups"
    />
  );
}
