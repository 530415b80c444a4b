import { Trans, useLingui } from "@lingui/react/macro";
import { Stack } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import type { Experiment } from "@/api/generated/models/experiment";
import { addTexts } from "@/app/i18n";
import { useRunLinks } from "@/app/run-links";
import { runsCharts } from "@/app/runs-charts";
import { ExperimentHeader } from "@/features/experiments/components/ExperimentHeader";
import { experimentQuery, useChangeExperiment } from "@/features/experiments/queries";
import { Notes } from "@/features/notes/components/Notes";
import { projectQuery } from "@/features/projects/queries";
import { RunsWorkspace } from "@/features/runs/components/RunsWorkspace";
import { type RunSearch, runSearch } from "@/features/runs/workspace";
import { FirstRun } from "@/features/tokens/components/FirstRun";
import { EmptyState } from "@/ui/EmptyState";
import { Panel } from "@/ui/Panel";

export const Route = createFileRoute("/_app/p/$project/x/$experiment")({
  validateSearch: runSearch,
  loader: async ({ context, params }) => {
    const texts = addTexts("charts");
    await context.queryClient.ensureQueryData(experimentQuery(params.experiment));
    await texts;
  },
  component: ExperimentPage,
});

function ExperimentPage() {
  const { t } = useLingui();
  const { project: slug, experiment: id } = Route.useParams();
  const { data: project } = useSuspenseQuery(projectQuery(slug));
  const { data: experiment } = useSuspenseQuery(experimentQuery(id));
  const client = useQueryClient();
  const search = Route.useSearch();
  const navigate = Route.useNavigate();
  const scope = useMemo(() => ({ projectId: project.id, experimentId: id }), [project.id, id]);
  const links = useRunLinks(slug);
  const change = useChangeExperiment(experiment);
  const canEdit = project.role !== "viewer" && project.archived_at === null;
  const writes = canEdit && experiment.archived_at === null;
  const onSearch = useCallback(
    (next: RunSearch, push: boolean) => void navigate({ search: () => next, replace: !push }),
    [navigate],
  );
  const storedIn = ({ description, version }: Experiment) => ({ text: description, version });

  return (
    <>
      <ExperimentHeader experiment={experiment} canEdit={canEdit} />
      <Stack gap="lg">
        <Panel title={t`Description`}>
          <Notes
            key={id}
            id={`experiment.${id}`}
            label={t`Description`}
            stored={storedIn(experiment)}
            place={{
              save: async (description, version) =>
                storedIn(await change.mutateAsync({ change: { description }, version })),
              load: async () =>
                storedIn(await client.fetchQuery({ ...experimentQuery(id), staleTime: 0 })),
            }}
            canEdit={writes}
            emptyTitle={t`No description yet`}
            invitation={t`What is asked here, and how will the answer be recognised?`}
          />
        </Panel>
        <Panel title={t`Runs`} flush>
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
            empty={
              <EmptyState
                icon={<IconPlayerPlay size={24} />}
                title={t`No runs yet`}
                more={
                  writes ? (
                    <FirstRun
                      projectId={project.id}
                      slug={slug}
                      experiment={experiment.name}
                      records={canEdit}
                    />
                  ) : null
                }
              >
                <Trans>Paste these lines, and watch the run appear here.</Trans>
              </EmptyState>
            }
          />
        </Panel>
      </Stack>
    </>
  );
}
