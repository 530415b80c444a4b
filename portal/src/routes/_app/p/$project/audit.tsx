import { Trans, useLingui } from "@lingui/react/macro";
import {
  keepPreviousData,
  useInfiniteQuery,
  useQuery,
  useSuspenseQuery,
} from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { useMemo } from "react";
import { addTexts } from "@/app/i18n";
import { AuditExport, AuditFilters } from "@/features/audit/components/AuditFilters";
import { AuditTable } from "@/features/audit/components/AuditTable";
import { asFilter } from "@/features/audit/filter";
import { projectAuditFile, projectAuditQuery } from "@/features/audit/queries";
import { type AuditSearch, auditSearch } from "@/features/audit/search";
import { membersQuery } from "@/features/members/queries";
import { projectQuery } from "@/features/projects/queries";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { PageHeader } from "@/ui/PageHeader";
import { Panel } from "@/ui/Panel";

export const Route = createFileRoute("/_app/p/$project/audit")({
  validateSearch: auditSearch,
  loader: () => addTexts("people"),
  component: ProjectAuditPage,
});

function ProjectAuditPage() {
  const { t } = useLingui();
  const { project: slug } = Route.useParams();
  const search = Route.useSearch();
  const navigate = Route.useNavigate();
  const filter = asFilter(search);
  const { data: project } = useSuspenseQuery(projectQuery(slug));
  const members = useQuery(membersQuery(project.id));
  const people = useMemo(
    () => new Map(members.data?.map((member) => [member.user_id, member.name])),
    [members.data],
  );
  const projects = useMemo(() => new Map([[project.id, slug]]), [project.id, slug]);
  const events = useInfiniteQuery({
    ...projectAuditQuery(project.id, filter),
    placeholderData: keepPreviousData,
  });
  const items = events.data?.pages.flatMap((page) => page.items);
  const show = (wanted: AuditSearch) => void navigate({ search: wanted, replace: true });
  return (
    <>
      <PageHeader
        title={t`Audit`}
        lead={<Trans>Who did what in this project, newest first. Only owners see this.</Trans>}
        actions={<AuditExport path={(format) => projectAuditFile(project.id, filter, format)} />}
      />
      <AuditFilters search={search} onChange={show} person={people.get(search.by ?? "")} />
      {events.isError ? (
        <ErrorNotice
          title={t`The audit could not be loaded`}
          error={events.error}
          onRetry={() => void events.refetch()}
        />
      ) : (
        <Panel flush>
          <AuditTable
            people={people}
            projects={projects}
            events={items}
            onNarrow={(by) => show({ ...search, ...by })}
            onShowAll={Object.values(search).some(Boolean) ? () => show({}) : undefined}
            onMore={events.hasNextPage ? () => void events.fetchNextPage() : undefined}
            loadingMore={events.isFetchingNextPage}
          />
        </Panel>
      )}
    </>
  );
}
