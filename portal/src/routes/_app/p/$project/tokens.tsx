import { Trans, useLingui } from "@lingui/react/macro";
import { Stack } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { useInfiniteQuery, useSuspenseQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { projectQuery } from "@/features/projects/queries";
import { NewTokenPanel } from "@/features/tokens/components/NewTokenPanel";
import { TokensTable } from "@/features/tokens/components/TokensTable";
import { projectTokensQuery } from "@/features/tokens/queries";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { PageHeader } from "@/ui/PageHeader";
import { Panel } from "@/ui/Panel";

export const Route = createFileRoute("/_app/p/$project/tokens")({ component: TokensPage });

function TokensPage() {
  const { t } = useLingui();
  const { project: slug } = Route.useParams();
  const { data: project } = useSuspenseQuery(projectQuery(slug));
  const tokens = useInfiniteQuery(projectTokensQuery(project.id));

  return (
    <>
      <PageHeader
        title={t`API tokens`}
        lead={
          <Trans>
            Programs sign in with a token. It works in this project only, with its own role, and can
            be revoked at any time.
          </Trans>
        }
      />
      <Stack gap="lg">
        {project.archived_at === null ? (
          <Panel title={t`New token`}>
            <NewTokenPanel projectId={project.id} ownRole={project.role} />
          </Panel>
        ) : null}
        {tokens.isError ? (
          <ErrorNotice
            title={t`The tokens could not be loaded`}
            error={tokens.error}
            onRetry={() => void tokens.refetch()}
          />
        ) : (
          <Panel
            flush
            title={project.role === "owner" ? t`All tokens of the project` : t`Your tokens`}
          >
            <TokensTable
              tokens={tokens.data?.pages.flatMap((page) => page.items)}
              withPerson={project.role === "owner"}
              onMore={tokens.hasNextPage ? () => void tokens.fetchNextPage() : undefined}
              loadingMore={tokens.isFetchingNextPage}
              empty={
                <EmptyState icon={<IconKey size={22} />} title={t`No token yet`}>
                  <Trans>
                    Create one above, then hand it to the program as RUNBENCH_TOKEN, or run runbench
                    login.
                  </Trans>
                </EmptyState>
              }
            />
          </Panel>
        )}
      </Stack>
    </>
  );
}
