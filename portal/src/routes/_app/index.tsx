import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Button } from "@mantine/core";
import { IconFolders, IconPlus } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { createFileRoute, Link } from "@tanstack/react-router";
import { useUser } from "@/app/user";
import { ProjectList } from "@/features/projects/components/ProjectList";
import { projectsQuery } from "@/features/projects/queries";
import { TableSkeleton } from "@/ui/DataTable";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { PageHeader } from "@/ui/PageHeader";
import { Panel } from "@/ui/Panel";

export const Route = createFileRoute("/_app/")({ component: HomePage });

const shown = 8;

function HomePage() {
  const { t } = useLingui();
  const { name } = useUser();
  const projects = useInfiniteQuery(projectsQuery({ sort: "-created_at" }));
  const found = projects.data?.pages[0]?.items;

  return (
    <>
      <PageHeader title={t`Hello, ${name}`} />
      {projects.isError ? (
        <ErrorNotice
          title={t`The projects could not be loaded`}
          error={projects.error}
          onRetry={() => void projects.refetch()}
        />
      ) : (
        <Panel
          flush
          title={t`Your projects`}
          actions={
            <Anchor size="sm" renderRoot={(props) => <Link to="/p" {...props} />}>
              <Trans>All projects</Trans>
            </Anchor>
          }
        >
          {found === undefined ? (
            <TableSkeleton columns={3} />
          ) : found.length > 0 ? (
            <ProjectList projects={found.slice(0, shown)} />
          ) : (
            <EmptyState
              icon={<IconFolders size={22} />}
              title={t`Start with a project`}
              actions={
                <Button
                  leftSection={<IconPlus size={16} aria-hidden />}
                  renderRoot={(props) => <Link to="/p" search={{ create: true }} {...props} />}
                >
                  <Trans>New project</Trans>
                </Button>
              }
            >
              <Trans>
                A project holds experiments and the people who work on them. Inside it you get three
                lines of Python that record your first run.
              </Trans>
            </EmptyState>
          )}
        </Panel>
      )}
    </>
  );
}
