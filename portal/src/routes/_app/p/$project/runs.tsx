import { Trans, useLingui } from "@lingui/react/macro";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useSuspenseQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { addTexts } from "@/app/i18n";
import { useRunLinks } from "@/app/run-links";
import { runsCharts } from "@/app/runs-charts";
import { projectQuery } from "@/features/projects/queries";
import { RunsWorkspace } from "@/features/runs/components/RunsWorkspace";
import { type RunSearch, runSearch } from "@/features/runs/workspace";
import { FirstRun } from "@/features/tokens/components/FirstRun";
import { EmptyState } from "@/ui/EmptyState";
import { PageHeader } from "@/ui/PageHeader";
import { Panel } from "@/ui/Panel";

export const Route = createFileRoute("/_app/p/$project/runs")({
  validateSearch: runSearch,
  loader: () => addTexts("charts"),
  component: RunsPage,
});

function RunsPage() {
  const { t } = useLingui();
  const { project: slug } = Route.useParams();
  const { data: project } = useSuspenseQuery(projectQuery(slug));
  const search = Route.useSearch();
  const navigate = Route.useNavigate();
  const scope = useMemo(() => ({ projectId: project.id }), [project.id]);
  const links = useRunLinks(slug);
  const canEdit = project.role !== "viewer" && project.archived_at === null;
  const onSearch = useCallback(
    (next: RunSearch, push: boolean) => void navigate({ search: () => next, replace: !push }),
    [navigate],
  );
  return (
    <>
      <PageHeader
        title={t`Runs`}
        lead={<Trans>Every run of this project. Running ones change before your eyes.</Trans>}
      />
      <Panel flush>
        <RunsWorkspace
          scope={scope}
          search={search}
          onSearch={onSearch}
          canEdit={canEdit}
          runLink={links.run}
          experimentLink={links.experiment}
          onCompare={(runs) =>
            void navigate({
              to: "/p/$project/compare",
              params: { project: slug },
              search: { runs },
            })
          }
          charts={runsCharts}
          withDefault
          empty={
            <EmptyState
              icon={<IconPlayerPlay size={24} />}
              title={t`Record the first run`}
              titleOrder={2}
              more={
                project.archived_at === null ? (
                  <FirstRun
                    projectId={project.id}
                    slug={slug}
                    records={project.role !== "viewer"}
                  />
                ) : null
              }
            >
              <Trans>Paste these lines, and watch the run appear here.</Trans>
            </EmptyState>
          }
        />
      </Panel>
    </>
  );
}
