import { Trans, useLingui } from "@lingui/react/macro";
import { Alert, Anchor, Checkbox, Group, Select, Stack, Tabs } from "@mantine/core";
import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { createFileRoute, Link } from "@tanstack/react-router";
import { lazy, Suspense, useMemo } from "react";
import * as v from "valibot";
import type { ComparedRuns } from "@/api/generated/models/comparedRuns";
import type { RunStatus } from "@/api/generated/models/runStatus";
import { addTexts } from "@/app/i18n";
import { runsCharts } from "@/app/runs-charts";
import { ExportComparison } from "@/features/comparison/components/ExportComparison";
import { KeepBaseline } from "@/features/comparison/components/KeepBaseline";
import { SaveComparison } from "@/features/comparison/components/SaveComparison";
import { SavedComparisons } from "@/features/comparison/components/SavedComparisons";
import { FilesSide, MetricsSide, ValuesSide } from "@/features/comparison/components/SideBySide";
import { mostMetrics } from "@/features/comparison/groups";
import { comparisonQuery } from "@/features/comparison/queries";
import { compareSearch, compareTabs } from "@/features/comparison/search";
import { chartSearch } from "@/features/metrics/view";
import { projectQuery } from "@/features/projects/queries";
import { type DrawnRun, looksOf } from "@/features/runs/drawn";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { PageHeader } from "@/ui/PageHeader";
import { Panel } from "@/ui/Panel";
import { TableSkeleton } from "@/ui/TableSkeleton";

const search = v.object({ ...chartSearch, ...compareSearch });
type Search = v.InferOutput<typeof search>;

// Tables are what the page opens with; what draws is fetched when its tab is shown.
const GroupCharts = lazy(async () => ({
  default: (await import("@/features/comparison/components/GroupCharts")).GroupCharts,
}));
const Relations = lazy(async () => ({
  default: (await import("@/features/comparison/components/Relations")).Relations,
}));
const TelemetryOverlay = lazy(async () => ({
  default: (await import("@/features/comparison/components/TelemetryOverlay")).TelemetryOverlay,
}));

const none: readonly string[] = [];

export const Route = createFileRoute("/_app/p/$project/compare")({
  validateSearch: search,
  loaderDeps: ({ search: { runs, baseline } }) => ({ runs, baseline }),
  loader: ({ context, deps: { runs = none, baseline = null } }) => {
    // Asked while the page and its project are still on their way; a failure is the page's to tell.
    if (runs.length > 0) void context.queryClient.prefetchQuery(comparisonQuery(runs, baseline));
    return addTexts("charts");
  },
  component: ComparePage,
});

/** Metrics that are drawn over groups until somebody chooses others. */
const firstDrawn = 6;

function ComparePage() {
  const { t } = useLingui();
  const { project: slug } = Route.useParams();
  const { data: project } = useSuspenseQuery(projectQuery(slug));
  const state = Route.useSearch();
  const ids = state.runs ?? none;
  const canEdit = project.role !== "viewer" && project.archived_at === null;
  const found = useQuery({
    ...comparisonQuery(ids, state.baseline ?? null),
    enabled: ids.length > 0,
  });
  return (
    <>
      <PageHeader
        title={t`Compare`}
        lead={<Trans>Which of these runs is better, and what differs between them.</Trans>}
        actions={
          ids.length > 0 ? (
            <Group gap="xs">
              <ExportComparison
                asked={{
                  run_ids: [...ids],
                  baseline_run_id: state.baseline ?? null,
                  metrics: found.data?.metrics.slice(0, mostMetrics).map(({ key }) => key) ?? [],
                  group_by: state.by ?? null,
                }}
              />
              {canEdit ? <SaveComparison projectId={project.id} view={state} /> : null}
            </Group>
          ) : null
        }
      />
      <Stack gap="lg">
        {found.isError ? (
          <ErrorNotice
            title={t`The runs could not be compared`}
            error={found.error}
            onRetry={() => void found.refetch()}
          />
        ) : null}
        {found.data ? (
          <Compared compared={found.data} search={state} canEdit={canEdit} />
        ) : ids.length > 0 && !found.isError ? (
          <TableSkeleton columns={4} />
        ) : null}
        <SavedComparisons
          projectId={project.id}
          canEdit={canEdit}
          open={({ title, view }) => (
            <Anchor
              renderRoot={(props) => (
                <Link
                  to="/p/$project/compare"
                  params={{ project: slug }}
                  search={v.parse(search, view)}
                  {...props}
                />
              )}
            >
              {title}
            </Anchor>
          )}
        />
      </Stack>
    </>
  );
}

type ComparedProps = { compared: ComparedRuns; search: Search; canEdit: boolean };

function Compared({ compared, search: state, canEdit }: ComparedProps) {
  const { t } = useLingui();
  const { project } = Route.useParams();
  const navigate = Route.useNavigate();
  const { runs, baseline_run_id: baseline, missing } = compared;
  const chosenRun = runs.find(({ id }) => id === baseline);
  const { tab = "metrics", same = false } = state;
  const change = (part: Partial<Search>, replace = true) =>
    void navigate({ search: (old) => ({ ...old, ...part }), replace });
  const shown = <Row extends { differs: boolean }>(rows: readonly Row[]) =>
    same ? rows : rows.filter(({ differs }) => differs);
  const side = {
    runs,
    baseline,
    runLink: (run: { id: string; name: string }) => (
      <Anchor
        size="sm"
        renderRoot={(props) => (
          <Link to="/p/$project/r/$run" params={{ project, run: run.id }} {...props} />
        )}
      >
        {run.name}
      </Anchor>
    ),
  };
  const nothing = t`Nothing differs between these runs`;
  return (
    <Panel
      flush
      title={t`Side by side`}
      actions={
        <Group gap="md" align="end">
          <Select
            size="xs"
            label={t`Baseline`}
            placeholder={t`None`}
            clearable
            data={runs.map(({ id, name }) => ({ value: id, label: name }))}
            value={runs.some(({ id }) => id === baseline) ? baseline : null}
            onChange={(chosen) => change({ baseline: chosen ?? undefined })}
          />
          {canEdit && chosenRun ? <KeepBaseline key={chosenRun.id} run={chosenRun} /> : null}
          <Checkbox
            size="xs"
            label={t`Only what differs`}
            py={6}
            checked={!same}
            onChange={(event) => change({ same: event.currentTarget.checked ? undefined : true })}
          />
        </Group>
      }
    >
      {missing.length > 0 ? (
        <Alert color="yellow" title={t`Not everything could be read`} m="sm">
          <ul>
            {[...new Set(missing.map(({ part, reason }) => `${part}: ${reason}`))].map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        </Alert>
      ) : null}
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(chosen) => change({ tab: compareTabs.find((one) => one === chosen) }, false)}
      >
        <Tabs.List px="sm">
          <Tabs.Tab value="metrics">{t`Metrics`}</Tabs.Tab>
          <Tabs.Tab value="charts">{t`Charts`}</Tabs.Tab>
          <Tabs.Tab value="groups">{t`Groups`}</Tabs.Tab>
          <Tabs.Tab value="relations">{t`Relations`}</Tabs.Tab>
          <Tabs.Tab value="telemetry">{t`Telemetry`}</Tabs.Tab>
          <Tabs.Tab value="params">{t`Params and tags`}</Tabs.Tab>
          <Tabs.Tab value="environment">{t`Environment`}</Tabs.Tab>
          <Tabs.Tab value="files">{t`Files`}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="metrics">
          <MetricsSide {...side} metrics={shown(compared.metrics)} />
        </Tabs.Panel>
        <Tabs.Panel value="charts" p="sm">
          <Charts runs={runs} search={state} />
        </Tabs.Panel>
        <Tabs.Panel value="groups" p="sm">
          <Suspense fallback={<TableSkeleton columns={3} />}>
            <GroupCharts
              compared={compared}
              view={{
                by: state.by ?? none,
                center: state.center ?? "mean",
                band: state.band ?? "std",
                axis: state.axis ?? "step",
                metrics: state.drawn ?? compared.metrics.slice(0, firstDrawn).map(({ key }) => key),
              }}
              onView={({ by, center, band, axis, metrics }) =>
                change({
                  ...(by && { by: by.length > 0 ? [...by] : undefined }),
                  ...(center && { center: center === "mean" ? undefined : center }),
                  ...(band && { band: band === "std" ? undefined : band }),
                  ...(axis && { axis: axis === "step" ? undefined : axis }),
                  ...(metrics && { drawn: [...metrics] }),
                })
              }
            />
          </Suspense>
        </Tabs.Panel>
        <Tabs.Panel value="relations" p="sm">
          <Suspense fallback={<TableSkeleton columns={3} />}>
            <Relations
              compared={compared}
              same={same}
              view={{ metric: state.metric, along: state.along }}
              onView={change}
              runLink={side.runLink}
              onOpen={(run) =>
                void navigate({ to: "/p/$project/r/$run", params: { project, run } })
              }
              onKeep={(kept) => change({ runs: kept }, false)}
            />
          </Suspense>
        </Tabs.Panel>
        <Tabs.Panel value="telemetry" p="sm">
          <Suspense fallback={<TableSkeleton columns={3} />}>
            <TelemetryOverlay
              runs={runs}
              view={{ signals: state.signals ?? none, align: state.align }}
              onView={({ signals, ...rest }) =>
                change({ ...rest, ...(signals && { signals: [...signals] }) })
              }
            />
          </Suspense>
        </Tabs.Panel>
        <Tabs.Panel value="params">
          <ValuesSide
            {...side}
            label={t`Params side by side`}
            nothing={nothing}
            values={shown(compared.params)}
          />
          {compared.tags.length > 0 ? (
            <ValuesSide
              {...side}
              label={t`Tags side by side`}
              nothing={t`No tag differs`}
              values={shown(compared.tags)}
            />
          ) : null}
        </Tabs.Panel>
        <Tabs.Panel value="environment">
          <ValuesSide
            {...side}
            label={t`Environment side by side`}
            nothing={nothing}
            values={shown(compared.environment)}
          />
        </Tabs.Panel>
        <Tabs.Panel value="files">
          <FilesSide {...side} files={shown(compared.artifacts)} />
        </Tabs.Panel>
      </Tabs>
    </Panel>
  );
}

function Charts({ runs, search: state }: { runs: ComparedRuns["runs"]; search: Search }) {
  const navigate = Route.useNavigate();
  const { hidden = none } = state;
  const drawn = useMemo<DrawnRun[]>(() => {
    const looks = looksOf(
      runs.map(({ id }) => id),
      {},
    );
    return runs.map(({ id, name, status, started_at }) => ({
      id,
      name,
      status: status as RunStatus,
      startedAt: started_at,
      look: looks.get(id) ?? 0,
      hidden: hidden.includes(id),
      group: null,
    }));
  }, [runs, hidden]);
  return (
    <Suspense fallback={<TableSkeleton columns={3} />}>
      {runsCharts({
        runs: drawn,
        state,
        onState: (part) => void navigate({ search: (old) => ({ ...old, ...part }), replace: true }),
        onHide: (id, hide) =>
          void navigate({
            search: (old) => {
              const rest = (old.hidden ?? []).filter((one) => one !== id);
              const all = hide ? [...rest, id] : rest;
              return { ...old, hidden: all.length > 0 ? all : undefined };
            },
            replace: true,
          }),
      })}
    </Suspense>
  );
}
