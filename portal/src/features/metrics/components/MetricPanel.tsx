import { Trans, useLingui } from "@lingui/react/macro";
import { Menu, MultiSelect, Skeleton } from "@mantine/core";
import { IconArrowsVertical, IconFileDownload, IconPlus, IconX } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { address } from "@/api/http";
import type { Range } from "@/charts/axis";
import { SeriesChart } from "@/charts/components/SeriesChart";
import { fetchFile } from "@/charts/export";
import type { Viewport } from "@/charts/viewport";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { useLive } from "../live-context";
import { exportPath } from "../queries";
import { type ChartRun, mayGrow, pictureSize, type RunGroup } from "../runs";
import { useGroupLines } from "../use-group-lines";
import { type Lines, useRunLines } from "../use-run-lines";
import type { ChartView } from "../view";
import { HeightFields } from "./HeightFields";
import classes from "./MetricPanels.module.css";

/** What all panels of a page share. */
export type PanelsSetting = {
  /** Those that are drawn. */
  runs: readonly ChartRun[];
  groups: readonly RunGroup[] | null;
  view: ChartView;
  onView: (change: Partial<ChartView>) => void;
  viewport: Viewport;
  /** How far each run had come before new points were only counted; `null` while following. */
  heldAt: ReadonlyMap<string, number> | null;
  /** Whether new points are kept out of the picture altogether. */
  frozen: boolean;
  onFollow: () => void;
  /** Everything that can be drawn into a panel too. */
  allMetrics: readonly string[];
};

type Props = PanelsSetting & {
  metric: string;
  asleep: boolean;
  /** Takes the panel out, where panels are chosen one by one. */
  onRemove?: () => void;
};

const downloadsAtMost = 20;

/** The chart of one metric: of a run with other metrics beside it, of many runs, or of groups of runs. */
export function MetricPanel(props: Props) {
  return props.groups ? <GroupsPanel {...props} groups={props.groups} /> : <RunsPanel {...props} />;
}

function GroupsPanel(props: Props & { groups: readonly RunGroup[] }) {
  const { groups, metric, view, frozen } = props;
  const { axis, zoom, band } = view;
  const found = useGroupLines({ groups, metric, axis, zoom, band, frozen });
  const [maximised, setMaximised] = useState(false);
  return <PanelFrame {...props} {...{ found, maximised, setMaximised }} metrics={[metric]} />;
}

function RunsPanel(props: Props) {
  const { runs, metric, view, heldAt, frozen, asleep } = props;
  const [maximised, setMaximised] = useState(false);
  const extra = view.overlays[metric];
  const metrics = useMemo(() => [metric, ...(extra ?? [])], [metric, extra]);
  const found = useRunLines({
    runs,
    metrics,
    axis: view.axis,
    zoom: view.zoom,
    points: pictureSize(runs.length * metrics.length, maximised),
    until: frozen ? heldAt : null,
    asleep,
  });
  return <PanelFrame {...props} {...{ found, maximised, setMaximised, metrics }} />;
}

type FrameProps = Props & {
  found: Lines;
  metrics: readonly string[];
  maximised: boolean;
  setMaximised: (maximised: boolean) => void;
};

function PanelFrame(props: FrameProps) {
  const { found, runs, metric, metrics, view, onView, heldAt, maximised } = props;
  const { t } = useLingui();
  const live = useLive();
  const [choosing, setChoosing] = useState<"metrics" | "height" | null>(null);
  const { lines } = found;
  if (found.error && lines.every(({ x }) => x.length === 0)) {
    return <ErrorNotice error={found.error} title={metric} onRetry={found.retry} />;
  }
  if (!found.ready) return <Skeleton className={classes.waiting} aria-busy />;

  const fresh =
    heldAt && live
      ? runs.reduce((sum, { id }) => {
          const after = heldAt.get(id);
          return after === undefined ? sum : sum + live.points(id, metric, after).step.length;
        }, 0)
      : 0;
  const count = lines.length;
  const names = lines.map(({ label }) => label).join(", ");
  const icon = { size: 16, "aria-hidden": true } as const;
  const setHeight = (height: Range | null) => {
    const { [metric]: _, ...others } = view.heights;
    onView({ heights: height ? { ...others, [metric]: height } : others });
  };
  const saveAll = (format: "csv" | "parquet") => {
    for (const { id } of runs.slice(0, downloadsAtMost)) {
      fetchFile(address(exportPath(id, metrics, format)));
    }
  };
  return (
    <>
      <SeriesChart
        title={metric}
        lines={lines}
        description={count <= 4 ? names : t`lines: ${count}`}
        axis={view.axis}
        logX={view.logX}
        logY={view.logY}
        smoothing={view.smoothing}
        viewport={props.viewport}
        zoom={view.zoom}
        onView={onView}
        fixed={view.heights[metric] ?? null}
        clip={view.clip}
        fullness={found.fullness}
        averaged={props.groups !== null}
        live={runs.some(mayGrow)}
        fresh={fresh}
        onFollow={props.onFollow}
        refreshing={found.refreshing}
        asleep={props.asleep && !maximised}
        legend={metrics.length > 1 || maximised}
        maximised={maximised}
        onMaximise={props.setMaximised}
        group={`charts-${view.axis}`}
        menu={
          <>
            {props.groups ? null : (
              <Menu.Item
                leftSection={<IconPlus {...icon} />}
                onClick={() => setChoosing("metrics")}
              >
                <Trans>Draw other metrics in here…</Trans>
              </Menu.Item>
            )}
            <Menu.Item
              leftSection={<IconArrowsVertical {...icon} />}
              onClick={() => setChoosing("height")}
            >
              <Trans>Choose the vertical range…</Trans>
            </Menu.Item>
            {props.onRemove ? (
              <Menu.Item leftSection={<IconX {...icon} />} onClick={props.onRemove}>
                <Trans>Take this chart out</Trans>
              </Menu.Item>
            ) : null}
          </>
        }
        downloads={
          <>
            <Menu.Item leftSection={<IconFileDownload {...icon} />} onClick={() => saveAll("csv")}>
              <Trans>All points, as CSV</Trans>
            </Menu.Item>
            <Menu.Item
              leftSection={<IconFileDownload {...icon} />}
              onClick={() => saveAll("parquet")}
            >
              <Trans>All points, as Parquet</Trans>
            </Menu.Item>
          </>
        }
      />
      {choosing === "metrics" ? (
        <MultiSelect
          size="xs"
          autoFocus
          searchable
          limit={200}
          label={t`Also drawn in ${metric}`}
          data={props.allMetrics.filter((key) => key !== metric)}
          value={[...metrics.slice(1)]}
          maxValues={7}
          onChange={(chosen) => onView({ overlays: { ...view.overlays, [metric]: chosen } })}
          onBlur={() => setChoosing(null)}
        />
      ) : null}
      {choosing === "height" ? (
        <HeightFields
          metric={metric}
          height={view.heights[metric] ?? null}
          logarithmic={view.logY}
          onHeight={setHeight}
          onClose={() => setChoosing(null)}
        />
      ) : null}
    </>
  );
}
