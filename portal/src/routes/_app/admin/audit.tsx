import { Trans, useLingui } from "@lingui/react/macro";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { useMemo } from "react";
import { addTexts } from "@/app/i18n";
import { AuditExport, AuditFilters } from "@/features/audit/components/AuditFilters";
import { AuditTable } from "@/features/audit/components/AuditTable";
import { asFilter } from "@/features/audit/filter";
import { platformAuditFile, platformAuditQuery } from "@/features/audit/queries";
import { type AuditSearch, auditSearch } from "@/features/audit/search";
import { projectsQuery } from "@/features/projects/queries";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { PageHeader } from "@/ui/PageHeader";
import { Panel } from "@/ui/Panel";

export const Route = createFileRoute("/_app/admin/audit")({
  validateSearch: auditSearch,
  loader: () => addTexts("people"),
  component: PlatformAuditPage,
});

function PlatformAuditPage() {
  const { t } = useLingui();
  const search = Route.useSearch();
  const filter = asFilter(search);
  const navigate = Route.useNavigate();
  const events = useInfiniteQuery({
    ...platformAuditQuery(filter),
    placeholderData: keepPreviousData,
  });
  // Administrators see what happened everywhere, and open only what they are a member of.
  const own = useInfiniteQuery(projectsQuery({ archived: "all" })).data?.pages;
  const projects = useMemo(
    () => new Map(own?.flatMap(({ items }) => items.map(({ id, slug }) => [id, slug] as const))),
    [own],
  );
  const items = events.data?.pages.flatMap((page) => page.items);
  const show = (wanted: AuditSearch) => void navigate({ search: wanted, replace: true });
  return (
    <>
      <PageHeader
        title={t`Audit of the platform`}
        lead={<Trans>Who did what on the whole platform, newest first.</Trans>}
        actions={<AuditExport path={(format) => platformAuditFile(filter, format)} />}
      />
      <AuditFilters
        search={search}
        onChange={show}
        person={items?.find((event) => event.actor_id === search.by)?.actor_name ?? undefined}
      />
      {events.isError ? (
        <ErrorNotice
          title={t`The audit could not be loaded`}
          error={events.error}
          onRetry={() => void events.refetch()}
        />
      ) : (
        <Panel flush>
          <AuditTable
            events={items}
            projects={projects}
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
