import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Stack, Text } from "@mantine/core";
import { IconFlask } from "@tabler/icons-react";
import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { createFileRoute, Link } from "@tanstack/react-router";
import { useRunLinks } from "@/app/run-links";
import { useUser } from "@/app/user";
import { LatestExperiments } from "@/features/experiments/components/LatestExperiments";
import { latestExperimentsQuery } from "@/features/experiments/queries";
import { MemberNames } from "@/features/members/components/MemberNames";
import { membersQuery } from "@/features/members/queries";
import { ProjectFacts } from "@/features/projects/components/ProjectFacts";
import { projectQuery } from "@/features/projects/queries";
import { LatestRuns } from "@/features/runs/components/LatestRuns";
import { latestRunsQuery } from "@/features/runs/queries";
import { FirstRun } from "@/features/tokens/components/FirstRun";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { MarkdownView } from "@/ui/MarkdownView";
import { PageHeader } from "@/ui/PageHeader";
import { Panel } from "@/ui/Panel";
import { TableSkeleton } from "@/ui/TableSkeleton";
import { TwoColumns } from "@/ui/TwoColumns";

export const Route = createFileRoute("/_app/p/$project/")({ component: OverviewPage });

const shown = 6;

function OverviewPage() {
  const { t } = useLingui();
  const { project: slug } = Route.useParams();
  const user = useUser();
  const { data: project } = useSuspenseQuery(projectQuery(slug));
  const members = useQuery(membersQuery(project.id));
  const experiments = useQuery(latestExperimentsQuery(project.id, shown));
  const links = useRunLinks(slug);
  const started = (experiments.data?.items.length ?? 0) > 0;
  const runs = useQuery({ ...latestRunsQuery(project.id, shown), enabled: started });
  const changeable = project.archived_at === null;
  const found = experiments.data?.items;

  return (
    <>
      <PageHeader title={project.name} />
      <TwoColumns
        side={
          <>
            <Panel title={t`Facts`}>
              <ProjectFacts project={project} />
            </Panel>
            <Panel
              title={t`Members`}
              actions={
                <Anchor
                  size="sm"
                  renderRoot={(props) => (
                    <Link to="/p/$project/members" params={{ project: slug }} {...props} />
                  )}
                >
                  {project.role === "owner" && changeable ? t`Add somebody` : t`All members`}
                </Anchor>
              }
            >
              <MemberNames members={members.data} userId={user.id} />
            </Panel>
          </>
        }
      >
        {experiments.isError ? (
          <ErrorNotice
            title={t`The experiments could not be loaded`}
            error={experiments.error}
            onRetry={() => void experiments.refetch()}
          />
        ) : (
          <Panel
            flush
            title={t`Experiments`}
            actions={
              found?.length ? (
                <Anchor
                  size="sm"
                  renderRoot={(props) => (
                    <Link to="/p/$project/x" params={{ project: slug }} {...props} />
                  )}
                >
                  <Trans>All experiments</Trans>
                </Anchor>
              ) : null
            }
          >
            {found === undefined ? (
              <TableSkeleton columns={3} />
            ) : found.length > 0 ? (
              <LatestExperiments
                experiments={found}
                link={({ id, name }, className) => (
                  <Link
                    to="/p/$project/x/$experiment"
                    params={{ project: slug, experiment: id }}
                    className={className}
                  >
                    {name}
                  </Link>
                )}
              />
            ) : (
              <EmptyState
                icon={<IconFlask size={24} />}
                title={t`Record the first run`}
                more={
                  changeable ? (
                    <FirstRun
                      projectId={project.id}
                      slug={slug}
                      records={project.role !== "viewer"}
                    />
                  ) : null
                }
              >
                {changeable ? (
                  <Trans>
                    An experiment appears here with its first run. Paste these lines, and watch the
                    curve grow.
                  </Trans>
                ) : (
                  <Trans>Nothing was recorded before this project was archived.</Trans>
                )}
              </EmptyState>
            )}
          </Panel>
        )}
        {runs.data?.items.length ? (
          <Panel
            flush
            title={t`Latest runs`}
            actions={
              <Anchor
                size="sm"
                renderRoot={(props) => (
                  <Link to="/p/$project/runs" params={{ project: slug }} {...props} />
                )}
              >
                <Trans>All runs</Trans>
              </Anchor>
            }
          >
            <LatestRuns runs={runs.data.items} link={links.run} />
          </Panel>
        ) : null}
        <Panel title={t`About`}>
          {project.description ? (
            <MarkdownView text={project.description} />
          ) : (
            <Stack gap={4} align="flex-start">
              <Text c="dimmed" size="sm">
                <Trans>No description yet. What is measured here, on what, and why?</Trans>
              </Text>
              {project.role === "owner" && changeable ? (
                <Anchor
                  size="sm"
                  renderRoot={(props) => (
                    <Link to="/p/$project/settings" params={{ project: slug }} {...props} />
                  )}
                >
                  <Trans>Write one</Trans>
                </Anchor>
              ) : null}
            </Stack>
          )}
        </Panel>
      </TwoColumns>
    </>
  );
}
