import { Trans, useLingui } from "@lingui/react/macro";
import { TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import * as v from "valibot";
import { AuditTable } from "@/features/audit/components/AuditTable";
import { platformAuditQuery } from "@/features/audit/queries";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { PageHeader } from "@/ui/PageHeader";
import { Panel } from "@/ui/Panel";

export const Route = createFileRoute("/_app/admin/audit")({
  validateSearch: v.object({ action: v.optional(v.fallback(v.string(), "")) }),
  component: PlatformAuditPage,
});

function PlatformAuditPage() {
  const { t } = useLingui();
  const { action } = Route.useSearch();
  const navigate = Route.useNavigate();
  const events = useInfiniteQuery({
    ...platformAuditQuery({ action: action || undefined }),
    placeholderData: keepPreviousData,
  });
  const filter = useDebouncedCallback(
    (text: string) =>
      void navigate({ search: { action: text.trim() || undefined }, replace: true }),
    250,
  );
  return (
    <>
      <PageHeader
        title={t`Audit of the platform`}
        lead={<Trans>Sign-ins, accounts, tokens, projects: what happened, newest first.</Trans>}
      />
      <TextInput
        type="search"
        mb="md"
        w={{ base: "100%", xs: 280 }}
        aria-label={t`Action, in full`}
        placeholder={t`Action, for example login`}
        leftSection={<IconSearch size={16} aria-hidden />}
        defaultValue={action}
        onChange={(event) => filter(event.currentTarget.value)}
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
