import { Trans, useLingui } from "@lingui/react/macro";
import {
  Button,
  Group,
  Select,
  Skeleton,
  Stack,
  Text,
  Title,
  useComputedColorScheme,
} from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense, useMemo, useState } from "react";
import type { ComparedRun } from "@/api/generated/models/comparedRun";
import type { ComparedRuns } from "@/api/generated/models/comparedRuns";
import type { Correlation } from "@/api/generated/models/correlation";
import { type DataColumn, DataTable } from "@/ui/DataTable";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { useFormats } from "@/ui/format";
import { seriesStyle } from "@/ui/palette";
import { correlationsQuery } from "../queries";
import { type Dimension, dimensionsOf } from "../relations";
import classes from "./Comparison.module.css";

const Canvas = lazy(() => import("./Canvas"));

export type RelationView = {
  /** The metric that everything is held against. */
  metric?: string;
  /** What runs along the scatter, as `params.lr`. */
  along?: string;
};

type Props = {
  compared: ComparedRuns;
  /** Params that are the same in all runs are listed as well. */
  same: boolean;
  view: RelationView;
  onView: (view: RelationView) => void;
  runLink: (run: ComparedRun) => ReactNode;
  onOpen: (runId: string) => void;
  /** Goes on with some of the runs alone. */
  onKeep: (runIds: string[]) => void;
};

/** How params go with a metric: parallel coordinates, a scatter, and figures. */
export function Relations({ compared, same, view, onView, runLink, onOpen, onKeep }: Props) {
  const { t } = useLingui();
  const { runs, metrics, params } = compared;
  const dimensions = useMemo(() => dimensionsOf(compared), [compared]);
  const metric = metrics.find(({ key }) => key === view.metric)?.key ?? metrics[0]?.key;
  const target = dimensions.find(({ id }) => id === `metrics.${metric}`);
  const others = dimensions.filter(({ id }) => id !== target?.id);
  const along = others.find(({ id }) => id === view.along) ?? others[0];
  const [picked, setPicked] = useState<number[] | null>(null);
  if (!metric || !target) {
    return (
      <p className={classes.nothing}>{t`These runs have no metric to hold params against.`}</p>
    );
  }
  const shown = picked ? runs.filter((_, place) => picked.includes(place)) : runs;
  const drawn = [...others.filter(({ id }) => id.startsWith("params.")), target];
  const count = shown.length;
  return (
    <Stack gap="lg">
      <Group align="end" gap="sm">
        <Select
          size="xs"
          label={t`Metric`}
          allowDeselect={false}
          data={metrics.map(({ key }) => key)}
          value={metric}
          onChange={(chosen) => onView({ metric: chosen ?? undefined })}
        />
        <Select
          size="xs"
          label={t`Along the scatter`}
          allowDeselect={false}
          data={others.map(({ id }) => id)}
          value={along?.id ?? null}
          onChange={(chosen) => onView({ along: chosen ?? undefined })}
        />
      </Group>
      <section>
        <Title order={3} size="h5">
          <Trans>Parallel coordinates</Trans>
        </Title>
        <Text size="sm" c="dimmed">
          <Trans>A line a run. Draw along an axis to pick runs.</Trans>
        </Text>
        <Suspense fallback={<Skeleton height={320} />}>
          <ParallelPicture dimensions={drawn} target={target} runs={runs} onPick={setPicked} />
        </Suspense>
        <Group gap="xs">
          <Text size="sm" role="status">
            {picked ? t`Runs picked: ${count}` : null}
          </Text>
          {picked ? (
            <Button size="xs" variant="default" onClick={() => onKeep(shown.map(({ id }) => id))}>
              <Trans>Compare only these</Trans>
            </Button>
          ) : null}
        </Group>
      </section>
      {along ? (
        <section>
          <Title order={3} size="h5">
            {t`${target.label} against ${along.label}`}
          </Title>
          <Suspense fallback={<Skeleton height={320} />}>
            <ScatterPicture x={along} y={target} runs={runs} onOpen={onOpen} />
          </Suspense>
        </section>
      ) : null}
      <CorrelationTable
        runIds={runs.map(({ id }) => id)}
        metric={metric}
        without={same ? [] : params.filter(({ differs }) => !differs).map(({ key }) => key)}
      />
      <RunsTwin runs={shown} all={runs} dimensions={drawn} runLink={runLink} />
    </Stack>
  );
}

type PictureProps = { runs: readonly ComparedRun[] };

type ParallelProps = PictureProps & {
  dimensions: readonly Dimension[];
  target: Dimension;
  onPick: (places: number[] | null) => void;
};

function ParallelPicture({ dimensions, target, runs, onPick }: ParallelProps) {
  const { t } = useLingui();
  const scheme = useComputedColorScheme("light");
  const option = useMemo(() => {
    const ends = target.values.filter((value) => value !== null);
    const [low, high] = [Math.min(...ends), Math.max(...ends)];
    // From one end of the metric to the other: dark blue to orange, told apart without red and green.
    const [first, last] = [seriesStyle(0, scheme).color, seriesStyle(1, scheme).color];
    return {
      animation: false,
      parallel: { left: 60, right: 60, top: 40, bottom: 24 },
      tooltip: { renderMode: "richText" },
      parallelAxis: dimensions.map(({ label, categories }, dim) => ({
        dim,
        name: label.length > 18 ? `${label.slice(0, 17)}…` : label,
        // Over the lines that run through it.
        z: 3,
        axisLabel: { backgroundColor: scheme === "dark" ? "#161d23" : "#ffffff", padding: [1, 3] },
        ...(categories ? { type: "category", data: categories } : { type: "value", scale: true }),
      })),
      series: {
        type: "parallel",
        lineStyle: { width: 1.5, opacity: 0.75 },
        inactiveOpacity: 0.06,
        data: runs.map(({ name }, place) => {
          const value = target.values[place];
          const part = typeof value === "number" && high > low ? (value - low) / (high - low) : 0;
          return {
            name,
            value: dimensions.map(({ values, categories }) => {
              const found = values[place];
              if (found === null || found === undefined) return "-";
              return categories ? categories[found] : found;
            }),
            lineStyle: { color: mixed(first, last, part) },
          };
        }),
      },
    };
  }, [dimensions, target, runs, scheme]);
  return <Canvas label={t`Parallel coordinates of the runs`} option={option} onPick={onPick} />;
}

type ScatterProps = PictureProps & {
  x: Dimension;
  y: Dimension;
  onOpen: (runId: string) => void;
};

function ScatterPicture({ x, y, runs, onOpen }: ScatterProps) {
  const { t } = useLingui();
  const scheme = useComputedColorScheme("light");
  const option = useMemo(() => {
    const axis = ({ label, categories }: Dimension) => ({
      name: label,
      nameLocation: "middle",
      nameGap: 28,
      ...(categories ? { type: "category", data: categories } : { type: "value", scale: true }),
    });
    return {
      animation: false,
      grid: { left: 70, right: 24, top: 16, bottom: 48 },
      tooltip: {
        renderMode: "richText",
        formatter: ({ dataIndex }: { dataIndex: number }) =>
          `${runs[dataIndex]?.name}\n${x.label} ${x.texts[dataIndex]}\n${y.label} ${y.texts[dataIndex]}`,
      },
      xAxis: axis(x),
      yAxis: { ...axis(y), nameGap: 52 },
      series: {
        type: "scatter",
        symbolSize: 11,
        itemStyle: { color: seriesStyle(0, scheme).color },
        data: runs.map((_, place) => [x.values[place] ?? "-", y.values[place] ?? "-"]),
      },
    };
  }, [x, y, runs, scheme]);
  const open = (place: number) => {
    const run = runs[place];
    if (run) onOpen(run.id);
  };
  return <Canvas label={t`${y.label} against ${x.label}`} option={option} onOpen={open} />;
}

/** A colour between two of the palette's, `#rrggbb`. */
function mixed(from: string, to: string, part: number): string {
  const channel = (color: string, at: number) => Number.parseInt(color.slice(at, at + 2), 16);
  const parts = [1, 3, 5].map((at) =>
    Math.round(channel(from, at) + (channel(to, at) - channel(from, at)) * part),
  );
  return `rgb(${parts.join(",")})`;
}

type CorrelationProps = {
  runIds: readonly string[];
  metric: string;
  /** Params that are left out. */
  without: readonly string[];
};

function CorrelationTable({ runIds, metric, without }: CorrelationProps) {
  const { t } = useLingui();
  const formats = useFormats();
  const found = useQuery(correlationsQuery(runIds, metric));
  if (found.error) {
    return (
      <ErrorNotice
        title={t`The correlations could not be worked out`}
        error={found.error}
        onRetry={() => void found.refetch()}
      />
    );
  }
  const figure = (value: number | null) =>
    value === null
      ? "—"
      : formats.number(value, { maximumFractionDigits: 3, minimumFractionDigits: 3 });
  const columns: DataColumn<Correlation>[] = [
    {
      id: "param",
      header: t`Param`,
      cell: ({ row }) => <span className="rb-mono">{row.original.key}</span>,
    },
    {
      id: "pearson",
      header: "Pearson r",
      meta: { numeric: true },
      cell: ({ row }) => figure(row.original.pearson),
    },
    {
      id: "spearman",
      header: "Spearman ρ",
      meta: { numeric: true },
      cell: ({ row }) => figure(row.original.spearman),
    },
    {
      id: "eta",
      header: "η²",
      meta: { numeric: true },
      cell: ({ row }) => figure(row.original.eta_squared),
    },
    {
      id: "runs",
      header: t`Runs`,
      meta: { numeric: true },
      cell: ({ row }) => formats.number(row.original.n),
    },
    { id: "reason", header: t`Remark`, cell: ({ row }) => row.original.reason ?? "" },
  ];
  return (
    <section>
      <Title order={3} size="h5">
        {t`What goes with ${metric}`}
      </Title>
      <Text size="sm" c="dimmed" mb="xs">
        <Trans>
          Pearson and Spearman for numbers, from −1 to 1; η² for categories, from 0 to 1. What goes
          together need not be its cause.
        </Trans>
      </Text>
      <DataTable
        label={t`Correlations of params with ${metric}`}
        columns={columns}
        rows={found.data?.items.filter(({ key }) => !without.includes(key))}
        rowId={({ key }) => key}
        empty={<Text p="md" c="dimmed">{t`No param to hold against it.`}</Text>}
      />
    </section>
  );
}

type TwinProps = {
  runs: readonly ComparedRun[];
  all: readonly ComparedRun[];
  dimensions: readonly Dimension[];
  runLink: (run: ComparedRun) => ReactNode;
};

/** What the pictures show, to be read. */
function RunsTwin({ runs, all, dimensions, runLink }: TwinProps) {
  const { t } = useLingui();
  const formats = useFormats();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard
    <section className={classes.scroll} aria-label={t`Values of the runs`} tabIndex={0}>
      <table className={classes.table} aria-label={t`Values of the runs`}>
        <thead>
          <tr>
            <th scope="col">{t`Run`}</th>
            {dimensions.map(({ id, label }) => (
              <th scope="col" key={id}>
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <tr key={run.id}>
              <th scope="row">{runLink(run)}</th>
              {dimensions.map(({ id, values, categories, texts }) => {
                const place = all.indexOf(run);
                const value = values[place];
                const isNumber = !categories && typeof value === "number";
                return <td key={id}>{isNumber ? formats.number(value) : texts[place]}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
