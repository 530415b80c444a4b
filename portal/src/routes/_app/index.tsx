import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Button, Stack, Text } from "@mantine/core";
import { IconFolders, IconPlus } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { createFileRoute, Link, redirect } from "@tanstack/react-router";
import { address } from "@/api/http";
import { isMlflowLink, pageOfMlflowLink } from "@/app/mlflow-link";
import { useUser } from "@/app/user";
import { ProjectList } from "@/features/projects/components/ProjectList";
import { projectsQuery } from "@/features/projects/queries";
import { CodeSnippet } from "@/ui/CodeSnippet";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { PageHeader } from "@/ui/PageHeader";
import { Panel } from "@/ui/Panel";
import { TableSkeleton } from "@/ui/TableSkeleton";
import { TwoColumns } from "@/ui/TwoColumns";

export const Route = createFileRoute("/_app/")({
  beforeLoad: async ({ location, preload }) => {
    if (preload || !isMlflowLink(location.hash)) return;
    throw redirect({ href: await pageOfMlflowLink(location.hash), replace: true });
  },
  component: HomePage,
});

const shown = 8;

function HomePage() {
  const { t } = useLingui();
  const { name } = useUser();
  const projects = useInfiniteQuery(projectsQuery({ sort: "-created_at" }));
  const found = projects.data?.pages[0]?.items;

  return (
    <>
      <PageHeader title={t`Hello, ${name}`} />
      <TwoColumns side={<ConnectPanel />}>
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
                  A project holds experiments and the people who work on them. Inside it you get
                  three lines of Python that record your first run.
                </Trans>
              </EmptyState>
            )}
          </Panel>
        )}
      </TwoColumns>
    </>
  );
}

/** How a program on another machine reaches this server. */
function ConnectPanel() {
  const { t } = useLingui();
  const { origin } = new URL(address("/"));
  return (
    <Panel title={t`Connect a program`}>
      <Stack gap="sm">
        <Text size="sm">
          <Trans>Once on each machine that records runs:</Trans>
        </Text>
        <CodeSnippet
          wrap
          code={`pip install runbench\nrunbench login ${origin}`}
          copyLabel={t`Copy the terminal commands`}
        />
        <Text size="xs" c="dimmed">
          <Trans>
            It asks for a token; every project makes them under API tokens. The lines of Python that
            record a run stand on the page of each new project.
          </Trans>
        </Text>
      </Stack>
    </Panel>
  );
}
