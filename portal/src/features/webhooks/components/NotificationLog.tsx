import { Trans, useLingui } from "@lingui/react/macro";
import { IconMail } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { EventType } from "@/api/generated/models/eventType";
import type { Notification } from "@/api/generated/models/notification";
import { type DataColumn, DataTable } from "@/ui/DataTable";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { TimeText } from "@/ui/TimeText";
import { notificationsQuery } from "../notification-queries";
import { eventNames, mailFailureNames, notificationStateNames } from "../words";

/** What one was or is to be told of, the newest first. */
export function NotificationLog({ projectId }: { projectId: string }) {
  const { t } = useLingui();
  const told = useInfiniteQuery(notificationsQuery(projectId));
  const columns = useMemo<DataColumn<Notification>[]>(
    () => [
      {
        id: "at",
        header: t`When`,
        cell: ({ row }) => <TimeText at={row.original.created_at} />,
      },
      {
        id: "event",
        header: t`Event`,
        cell: ({ row: { original } }) => {
          const name = eventNames[original.event_type as EventType];
          return name ? t(name) : t`A test`;
        },
      },
      {
        id: "about",
        header: t`About`,
        cell: ({ row }) => row.original.subject_name ?? "—",
      },
      {
        id: "state",
        header: t`State`,
        cell: ({ row: { original } }) => {
          const failure = original.failure ? mailFailureNames[original.failure] : undefined;
          const state = t(notificationStateNames[original.state]);
          return failure ? `${state}: ${t(failure)}` : state;
        },
      },
    ],
    [t],
  );
  if (told.isError) {
    return (
      <ErrorNotice
        title={t`What was told could not be loaded`}
        error={told.error}
        onRetry={() => void told.refetch()}
      />
    );
  }
  return (
    <DataTable
      label={t`What you were told of`}
      columns={columns}
      rows={told.data?.pages.flatMap((page) => page.items)}
      rowId={({ id }) => id}
      onMore={told.hasNextPage ? () => void told.fetchNextPage() : undefined}
      loadingMore={told.isFetchingNextPage}
      empty={
        <EmptyState icon={<IconMail size={22} />} title={t`Nothing was sent yet`}>
          <Trans>The next event that you want to hear of stands here, and so does a test.</Trans>
        </EmptyState>
      }
    />
  );
}
