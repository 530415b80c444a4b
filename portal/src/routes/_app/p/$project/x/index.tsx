import { Trans, useLingui } from "@lingui/react/macro";
import { Button } from "@mantine/core";
import { IconFlask, IconPlus, IconSearch } from "@tabler/icons-react";
import { useInfiniteQuery, useSuspenseQuery } from "@tanstack/react-query";
import { createFileRoute, Link } from "@tanstack/react-router";
import * as v from "valibot";
import { ExperimentsTable } from "@/features/experiments/components/ExperimentsTable";
import { NewExperimentDrawer } from "@/features/experiments/components/NewExperimentDrawer";
import { experimentSearch, experimentsQuery } from "@/features/experiments/queries";
import { projectQuery } from "@/features/projects/queries";
import { FirstRun } from "@/features/tokens/components/FirstRun";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { PageHeader } from "@/ui/PageHeader";
import { Panel } from "@/ui/Panel";

export const Route = createFileRoute("/_app/p/$project/x/")({
  validateSearch: v.object({
    ...experimentSearch,
    create: v.optional(v.fallback(v.optional(v.boolean()), undefined)),
  }),
  component: ExperimentsPage,
});

function ExperimentsPage() {
  const { t } = useLingui();
  const { project: slug } = Route.useParams();
  const { data: project } = useSuspenseQuery(projectQuery(slug));
  const { create, ...search } = Route.useSearch();
  const navigate = Route.useNavigate();
  const experiments = useInfiniteQuery(experimentsQuery(project.id, search));
  const canEdit = project.role !== "viewer" && project.archived_at === null;
  const found = experiments.data?.pages.flatMap(({ items }) => items);
  const filtered = Boolean(
    search.q || search.status?.length || search.tag?.length || search.archived,
  );
  const close = () => void navigate({ search: (old) => ({ ...old, create: undefined }) });
  const newExperiment = canEdit ? (
    <Button
      leftSection={<IconPlus size={16} aria-hidden />}
      renderRoot={(props) => (
        <Link from={Route.fullPath} search={(old) => ({ ...old, create: true })} {...props} />
      )}
    >
      <Trans>New experiment</Trans>
    </Button>
  ) : null;

  const empty = filtered ? (
    <EmptyState
      icon={<IconSearch size={24} />}
      title={t`No experiment matches`}
      titleOrder={2}
      actions={
        <Button
          variant="default"
          renderRoot={(props) => <Link from={Route.fullPath} search={{}} {...props} />}
        >
          <Trans>Show all experiments</Trans>
        </Button>
      }
    >
      <Trans>There is none with this name, status and these tags.</Trans>
    </EmptyState>
  ) : (
    <EmptyState
      icon={<IconFlask size={24} />}
      title={t`Record the first run`}
      titleOrder={2}
      more={
        project.archived_at === null ? (
          <FirstRun projectId={project.id} slug={slug} records={project.role !== "viewer"} />
        ) : null
      }
    >
      <Trans>An experiment appears here with its first run, or make one ahead of time.</Trans>
    </EmptyState>
  );

  return (
    <>
      <PageHeader
        title={t`Experiments`}
        lead={<Trans>A question, and the runs that answer it.</Trans>}
        actions={newExperiment}
      />
      {experiments.error && !found ? (
        <ErrorNotice
          error={experiments.error}
          title={t`The experiments could not be loaded`}
          onRetry={() => void experiments.refetch()}
        />
      ) : (
        <Panel flush>
          <ExperimentsTable
            projectId={project.id}
            experiments={found}
            search={search}
            onSearch={(change) =>
              void navigate({ search: (old) => ({ ...old, ...change }), replace: true })
            }
            canEdit={canEdit}
            link={(experiment, className) => (
              <Link
                to="/p/$project/x/$experiment"
                params={{ project: slug, experiment: experiment.id }}
                className={className}
              >
                {experiment.name}
              </Link>
            )}
            empty={empty}
            refreshing={experiments.isPlaceholderData}
            onMore={experiments.hasNextPage ? () => void experiments.fetchNextPage() : undefined}
            loadingMore={experiments.isFetchingNextPage}
          />
        </Panel>
      )}
      {create && canEdit ? (
        <NewExperimentDrawer
          projectId={project.id}
          onClose={close}
          onCreated={({ id }) =>
            void navigate({
              to: "/p/$project/x/$experiment",
              params: { project: slug, experiment: id },
              search: {},
            })
          }
        />
      ) : null}
    </>
  );
}
