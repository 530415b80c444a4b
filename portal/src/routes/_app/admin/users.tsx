import { Trans, useLingui } from "@lingui/react/macro";
import { Group, SegmentedControl, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import * as v from "valibot";
import { addTexts } from "@/app/i18n";
import { useUser } from "@/app/user";
import { UsersTable } from "@/features/admin/components/UsersTable";
import { usersQuery } from "@/features/admin/queries";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { PageHeader } from "@/ui/PageHeader";
import { Panel } from "@/ui/Panel";

export const Route = createFileRoute("/_app/admin/users")({
  validateSearch: v.object({
    q: v.optional(v.fallback(v.string(), "")),
    status: v.optional(v.fallback(v.picklist(["active", "deactivated"]), "active")),
  }),
  loader: () => addTexts("people"),
  component: UsersPage,
});

function UsersPage() {
  const { t } = useLingui();
  const user = useUser();
  const { q, status } = Route.useSearch();
  const navigate = Route.useNavigate();
  const users = useInfiniteQuery({
    ...usersQuery({ q: q || undefined, status }),
    placeholderData: keepPreviousData,
  });
  const search = useDebouncedCallback(
    (text: string) =>
      void navigate({ search: (old) => ({ ...old, q: text.trim() || undefined }), replace: true }),
    200,
  );
  return (
    <>
      <PageHeader
        title={t`Users`}
        lead={
          <Trans>
            Accounts of this platform. Administration gives no access to anybody's projects.
          </Trans>
        }
      />
      <Group mb="md" gap="sm">
        <TextInput
          type="search"
          aria-label={t`Find a person`}
          placeholder={t`Name or e-mail`}
          leftSection={<IconSearch size={16} aria-hidden />}
          defaultValue={q}
          onChange={(event) => search(event.currentTarget.value)}
          w={{ base: "100%", xs: 280 }}
        />
        <SegmentedControl
          aria-label={t`Which accounts`}
          value={status ?? "all"}
          onChange={(value) =>
            void navigate({
              search: (old) => ({
                ...old,
                status: value === "active" || value === "deactivated" ? value : undefined,
              }),
              replace: true,
            })
          }
          data={[
            { value: "all", label: t`All` },
            { value: "active", label: t({ message: "Active", context: "several" }) },
            { value: "deactivated", label: t({ message: "Deactivated", context: "several" }) },
          ]}
        />
      </Group>
      {users.isError ? (
        <ErrorNotice
          title={t`The users could not be loaded`}
          error={users.error}
          onRetry={() => void users.refetch()}
        />
      ) : (
        <Panel flush>
          <UsersTable
            users={users.data?.pages.flatMap((page) => page.items)}
            userId={user.id}
            onMore={users.hasNextPage ? () => void users.fetchNextPage() : undefined}
            loadingMore={users.isFetchingNextPage}
            empty={
              <EmptyState icon={<IconSearch size={22} />} title={t`Nobody matches`}>
                <Trans>Try fewer letters, or another state.</Trans>
              </EmptyState>
            }
          />
        </Panel>
      )}
    </>
  );
}
