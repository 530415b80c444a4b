import { useLingui } from "@lingui/react/macro";
import { Anchor, Button, Stack, Tabs } from "@mantine/core";
import { useInfiniteQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { createFileRoute, Link } from "@tanstack/react-router";
import { Suspense, useCallback, useMemo } from "react";
import * as v from "valibot";
import type { Run } from "@/api/generated/models/run";
import { invalidatePath } from "@/api/invalidate";
import { addTexts } from "@/app/i18n";
import { runArtifacts } from "@/app/run-artifacts";
import { useRunLinks } from "@/app/run-links";
import { runTelemetry } from "@/app/run-telemetry";
import { MetricPanels } from "@/features/metrics/components/MetricPanels";
import { MetricPreview } from "@/features/metrics/components/MetricPreview";
import { MetricSummaries } from "@/features/metrics/components/MetricSummaries";
import { LiveRunsProvider } from "@/features/metrics/live-context";
import type { ChartRun } from "@/features/metrics/runs";
import { type ChartView, chartSearch, searchFrom, viewFrom } from "@/features/metrics/view";
import { Notes } from "@/features/notes/components/Notes";
import { projectQuery } from "@/features/projects/queries";
import { EnvironmentPanel } from "@/features/runs/components/EnvironmentPanel";
import { NestedRuns } from "@/features/runs/components/NestedRuns";
import { ParamsPanel } from "@/features/runs/components/ParamsPanel";
import { RunHeader } from "@/features/runs/components/RunHeader";
import { runQuery, useChangeRun } from "@/features/runs/queries";
import { sensorsQuery } from "@/features/sensors/queries";
import { type TelemetrySearch, telemetrySearch } from "@/features/telemetry/channels";
import { CodeSnippet } from "@/ui/CodeSnippet";
import { Panel } from "@/ui/Panel";
import { TableSkeleton } from "@/ui/TableSkeleton";
import classes from "@/ui/TwoColumns.module.css";

const tabs = ["metrics", "telemetry", "artifacts", "notes", "environment"] as const;
const firstTab = "overview";

export const Route = createFileRoute("/_app/p/$project/r/$run")({
  validateSearch: v.object({
    ...chartSearch,
    ...telemetrySearch,
    file: v.optional(v.fallback(v.optional(v.string()), undefined)),
    session: v.optional(v.fallback(v.optional(v.string()), undefined)),
    tab: v.optional(v.fallback(v.optional(v.picklist(tabs)), undefined)),
  }),
  loader: async ({ context, params }) => {
    const texts = addTexts("charts");
    await context.queryClient.ensureQueryData(runQuery(params.run));
    await texts;
  },
  component: RunPage,
});

function RunPage() {
  const { t } = useLingui();
  const { project: slug, run: id } = Route.useParams();
  const { data: project } = useSuspenseQuery(projectQuery(slug));
  const { data: run } = useSuspenseQuery(runQuery(id));
  const { tab = firstTab, ...search } = Route.useSearch();
  const navigate = Route.useNavigate();
  const client = useQueryClient();
  const links = useRunLinks(slug);
  const canEdit = project.role !== "viewer" && project.archived_at === null;

  const { name, status } = run;
  const chartRun = useMemo<ChartRun>(
    () => ({ id, name, status, look: 0, hidden: false, group: null }),
    [id, name, status],
  );
  const refresh = useCallback(
    () => void invalidatePath(client, `/api/v1/runs/${id}`),
    [client, id],
  );

  return (
    <LiveRunsProvider key={id} runs={[run]} onStatus={refresh}>
      <RunHeader
        run={run}
        canEdit={canEdit}
        experimentLink={links.experiment(run, run.experiment_name)}
        parentLink={run.parent_run_id ? links.run({ id: run.parent_run_id }, t`Parent run`) : null}
      />
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(chosen) =>
          void navigate({
            search: (old) => ({ ...old, tab: tabs.find((name) => name === chosen) }),
          })
        }
      >
        <Tabs.List mb="md">
          <Tabs.Tab value={firstTab}>{t`Overview`}</Tabs.Tab>
          <Tabs.Tab value="metrics">{t`Metrics`}</Tabs.Tab>
          <Tabs.Tab value="telemetry">{t`Telemetry`}</Tabs.Tab>
          <Tabs.Tab value="artifacts">{t`Artifacts`}</Tabs.Tab>
          <Tabs.Tab value="notes">{t`Notes`}</Tabs.Tab>
          <Tabs.Tab value="environment">{t`Environment`}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value={firstTab}>
          <Stack gap="lg">
            <MetricPreview
              run={chartRun}
              link={
                <Anchor
                  size="sm"
                  renderRoot={(props) => (
                    <Link
                      from={Route.fullPath}
                      search={(old) => ({ ...old, tab: "metrics" as const })}
                      {...props}
                    />
                  )}
                >
                  {t`All charts`}
                </Anchor>
              }
            />
            <div className={classes.halves}>
              <ParamsPanel params={run.params} />
              <MetricSummaries runId={id} />
            </div>
            {run.notes.trim() ? (
              <Panel title={t`Notes`}>
                <RunNotes run={run} canEdit={canEdit} />
              </Panel>
            ) : null}
            {run.child_count > 0 ? <NestedRuns run={run} runLink={links.run} /> : null}
          </Stack>
        </Tabs.Panel>
        <Tabs.Panel value="metrics">
          <MetricsTab run={chartRun} search={search} />
        </Tabs.Panel>
        <Tabs.Panel value="telemetry">
          <TelemetryTab run={run} projectId={project.id} canEdit={canEdit} search={search} />
        </Tabs.Panel>
        <Tabs.Panel value="artifacts">
          <ArtifactsTab
            run={run}
            canEdit={canEdit}
            canApprove={canEdit && project.role === "owner"}
            runLink={links.run}
            file={search.file ?? null}
          />
        </Tabs.Panel>
        <Tabs.Panel value="notes">
          <Panel title={t`Notes`}>
            <RunNotes run={run} canEdit={canEdit} />
          </Panel>
        </Tabs.Panel>
        <Tabs.Panel value="environment">
          <EnvironmentPanel run={run} />
        </Tabs.Panel>
      </Tabs>
    </LiveRunsProvider>
  );
}

function MetricsTab({ run, search }: { run: ChartRun; search: Parameters<typeof viewFrom>[0] }) {
  const { t } = useLingui();
  const navigate = Route.useNavigate();
  const view = useMemo(() => viewFrom(search), [search]);
  const onView = useCallback(
    (change: Partial<ChartView>) =>
      void navigate({
        search: (old) => ({ ...old, ...searchFrom({ ...viewFrom(old), ...change }) }),
        replace: true,
      }),
    [navigate],
  );
  return (
    <MetricPanels
      run={run}
      view={view}
      onView={onView}
      hint={
        <CodeSnippet
          code={'run.log({"loss": loss, "accuracy": accuracy}, step=step)'}
          copyLabel={t`Copy the Python code`}
        />
      }
    />
  );
}

type ArtifactsProps = {
  run: Run;
  canEdit: boolean;
  canApprove: boolean;
  runLink: ReturnType<typeof useRunLinks>["run"];
  file: string | null;
};

function ArtifactsTab({ run, canEdit, canApprove, runLink, file }: ArtifactsProps) {
  const { t } = useLingui();
  const navigate = Route.useNavigate();
  const choose = useCallback(
    (path: string | null) =>
      void navigate({ search: (old) => ({ ...old, file: path ?? undefined }), replace: true }),
    [navigate],
  );
  return (
    <Suspense fallback={<TableSkeleton columns={3} />}>
      {runArtifacts({
        runId: run.id,
        projectId: run.project_id,
        canEdit: canEdit && run.archived_at === null,
        canApprove: canApprove && run.archived_at === null,
        runLink,
        chosen: file,
        onChoose: choose,
        hint: (
          <CodeSnippet
            code={'run.log_artifact("model.onnx")'}
            copyLabel={t`Copy the Python code`}
          />
        ),
      })}
    </Suspense>
  );
}

type TelemetryProps = {
  run: Run;
  projectId: string;
  canEdit: boolean;
  search: TelemetrySearch & { session?: string };
};

function TelemetryTab({ run, projectId, canEdit, search }: TelemetryProps) {
  const { t } = useLingui();
  const { project } = Route.useParams();
  const navigate = Route.useNavigate();
  const sensors = useInfiniteQuery(sensorsQuery(projectId, {}));
  const offered = useMemo(
    () => sensors.data?.pages.flatMap(({ items }) => items) ?? [],
    [sensors.data],
  );
  const change = useCallback(
    (search: TelemetrySearch & { session?: string }) =>
      void navigate({ search: (old) => ({ ...old, ...search }), replace: true }),
    [navigate],
  );
  const choose = useCallback(
    (session: string | null) => change({ session: session ?? undefined }),
    [change],
  );
  return (
    <Suspense fallback={<TableSkeleton columns={3} />}>
      {runTelemetry({
        run,
        offered,
        canEdit: canEdit && run.archived_at === null,
        search,
        onSearch: change,
        chosen: search.session ?? null,
        onChoose: choose,
        sensorsLink: (
          <Button
            variant="default"
            renderRoot={(props) => (
              <Link to="/p/$project/sensors" params={{ project }} {...props} />
            )}
          >
            {t`To the sensors`}
          </Button>
        ),
      })}
    </Suspense>
  );
}

function RunNotes({ run, canEdit }: { run: Run; canEdit: boolean }) {
  const { t } = useLingui();
  const client = useQueryClient();
  const change = useChangeRun(run);
  const storedIn = ({ notes, version }: Run) => ({ text: notes, version });
  return (
    <Notes
      key={run.id}
      id={`run.${run.id}`}
      label={t`Notes`}
      stored={storedIn(run)}
      place={{
        save: async (notes, version) =>
          storedIn(await change.mutateAsync({ change: { notes }, version })),
        load: async () => storedIn(await client.fetchQuery({ ...runQuery(run.id), staleTime: 0 })),
      }}
      canEdit={canEdit && run.archived_at === null}
      emptyTitle={t`No notes yet`}
      invitation={t`What was tried, what was seen, what comes next?`}
    />
  );
}
