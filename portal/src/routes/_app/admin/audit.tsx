import { Trans, useLingui } from "@lingui/react/macro";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import * as v from "valibot";
import { addTexts } from "@/app/i18n";
import { ActionFilter } from "@/features/audit/components/ActionFilter";
import { AuditTable } from "@/features/audit/components/AuditTable";
import { platformAuditQuery } from "@/features/audit/queries";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { PageHeader } from "@/ui/PageHeader";
import { Panel } from "@/ui/Panel";

export const Route = createFileRoute("/_app/admin/audit")({
  validateSearch: v.object({ action: v.optional(v.pipe(v.string(), v.maxLength(60))) }),
  loader: () => addTexts("people"),
  component: PlatformAuditPage,
});

function PlatformAuditPage() {
  const { t } = useLingui();
  const { action } = Route.useSearch();
  const navigate = Route.useNavigate();
  const events = useInfiniteQuery({
    ...platformAuditQuery({ action }),
    placeholderData: keepPreviousData,
  });
  return (
    <>
      <PageHeader
        title={t`Audit of the platform`}
        lead={<Trans>Sign-ins, accounts, tokens, projects: what happened, newest first.</Trans>}
      />
      <ActionFilter
        action={action}
        onChange={(chosen) => void navigate({ search: { action: chosen }, replace: true })}
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
            events={events.data?.pages.flatMap((page) => page.items)}
            onMore={events.hasNextPage ? () => void events.fetchNextPage() : undefined}
            loadingMore={events.isFetchingNextPage}
          />
        </Panel>
      )}
    </>
  );
}
