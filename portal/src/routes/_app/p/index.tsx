import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, SegmentedControl, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconFolders, IconPlus, IconSearch } from "@tabler/icons-react";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { createFileRoute, Link } from "@tanstack/react-router";
import * as v from "valibot";
import { NewProjectDrawer } from "@/features/projects/components/NewProjectDrawer";
import { ProjectList } from "@/features/projects/components/ProjectList";
import { projectsQuery } from "@/features/projects/queries";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { PageHeader } from "@/ui/PageHeader";
import { Panel } from "@/ui/Panel";
import { TableSkeleton } from "@/ui/TableSkeleton";

export const Route = createFileRoute("/_app/p/")({
  validateSearch: v.object({
    q: v.optional(v.fallback(v.string(), "")),
    archived: v.optional(v.fallback(v.boolean(), false)),
    create: v.optional(v.fallback(v.boolean(), false)),
  }),
  component: ProjectsPage,
});

function ProjectsPage() {
  const { t } = useLingui();
  const { q, archived, create } = Route.useSearch();
  const navigate = Route.useNavigate();
  const projects = useInfiniteQuery({
    ...projectsQuery({ q: q || undefined, archived: archived ? "true" : "false", sort: "name" }),
    placeholderData: keepPreviousData,
  });
  const search = useDebouncedCallback(
    (text: string) =>
      void navigate({ search: (old) => ({ ...old, q: text || undefined }), replace: true }),
    200,
  );
  const found = projects.data?.pages.flatMap((page) => page.items);
  const filtered = Boolean(q) || archived;
  const newProject = (
    <Button
      leftSection={<IconPlus size={16} aria-hidden />}
      renderRoot={(props) => (
        <Link to="/p" search={(old) => ({ ...old, create: true })} {...props} />
      )}
    >
      <Trans>New project</Trans>
    </Button>
  );

  return (
    <>
      <PageHeader
        title={t`Projects`}
        lead={
          <Trans>A project holds experiments, their runs, and the people who work on them.</Trans>
        }
        actions={newProject}
      />
      <Group mb="md" gap="sm">
        <TextInput
          type="search"
          aria-label={t`Find a project`}
          placeholder={t`Find a project`}
          leftSection={<IconSearch size={16} aria-hidden />}
          defaultValue={q}
          onChange={(event) => search(event.currentTarget.value)}
          w={{ base: "100%", xs: 280 }}
        />
        <SegmentedControl
          size="sm"
          aria-label={t`Which projects`}
          value={archived ? "archived" : "active"}
          onChange={(value) =>
            void navigate({
              search: (old) => ({ ...old, archived: value === "archived" || undefined }),
              replace: true,
            })
          }
          data={[
            { value: "active", label: t({ message: "Active", context: "several" }) },
            { value: "archived", label: t`Archived` },
          ]}
        />
      </Group>
      {projects.isError ? (
        <ErrorNotice
          title={t`The projects could not be loaded`}
          error={projects.error}
          onRetry={() => void projects.refetch()}
        />
      ) : (
        <Panel flush>
          {found === undefined ? (
            <TableSkeleton columns={3} rows={6} />
          ) : found.length > 0 ? (
            <ProjectList
              projects={found}
              onMore={projects.hasNextPage ? () => void projects.fetchNextPage() : undefined}
              loadingMore={projects.isFetchingNextPage}
            />
          ) : filtered ? (
            <EmptyState
              icon={<IconSearch size={22} />}
              title={t`No project matches`}
              titleOrder={2}
              actions={
                <Button
                  variant="default"
                  renderRoot={(props) => <Link to="/p" search={{}} {...props} />}
                >
                  <Trans>Show all active projects</Trans>
                </Button>
              }
            >
              {archived ? (
                <Trans>None of your projects is archived under these words.</Trans>
              ) : (
                <Trans>None of your active projects has “{q}” in its name or address.</Trans>
              )}
            </EmptyState>
          ) : (
            <EmptyState
              icon={<IconFolders size={22} />}
              title={t`Make your first project`}
              titleOrder={2}
              actions={newProject}
            >
              <Trans>
                One project for each bench or model is a good start. To see a colleague's project,
                ask its owner to add you under Members.
              </Trans>
            </EmptyState>
          )}
        </Panel>
      )}
      {create ? (
        <NewProjectDrawer
          onClose={() => void navigate({ search: (old) => ({ ...old, create: undefined }) })}
          onCreated={({ slug }) =>
            void navigate({ to: "/p/$project", params: { project: slug }, search: {} })
          }
        />
      ) : null}
    </>
  );
}
