import { Trans, useLingui } from "@lingui/react/macro";
import { useInfiniteQuery, useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { useMemo } from "react";
import { addTexts } from "@/app/i18n";
import { AuditTable } from "@/features/audit/components/AuditTable";
import { projectAuditQuery } from "@/features/audit/queries";
import { membersQuery } from "@/features/members/queries";
import { projectQuery } from "@/features/projects/queries";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { PageHeader } from "@/ui/PageHeader";
import { Panel } from "@/ui/Panel";

export const Route = createFileRoute("/_app/p/$project/audit")({
  loader: () => addTexts("people"),
  component: ProjectAuditPage,
});

function ProjectAuditPage() {
  const { t } = useLingui();
  const { project: slug } = Route.useParams();
  const { data: project } = useSuspenseQuery(projectQuery(slug));
  const members = useQuery(membersQuery(project.id));
  const people = useMemo(
    () => new Map(members.data?.map((member) => [member.user_id, member.name])),
    [members.data],
  );
  const events = useInfiniteQuery(projectAuditQuery(project.id, {}));
  return (
    <>
      <PageHeader
        title={t`Audit`}
        lead={<Trans>Who changed what in this project. Only owners see this.</Trans>}
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
            people={people}
            events={events.data?.pages.flatMap((page) => page.items)}
            onMore={events.hasNextPage ? () => void events.fetchNextPage() : undefined}
            loadingMore={events.isFetchingNextPage}
          />
        </Panel>
      )}
    </>
  );
}
