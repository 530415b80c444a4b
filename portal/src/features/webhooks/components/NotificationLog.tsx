import { Trans, useLingui } from "@lingui/react/macro";
import { IconMail } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import type { EventType } from "@/api/generated/models/eventType";
import type { Notification } from "@/api/generated/models/notification";
import type { NotificationState } from "@/api/generated/models/notificationState";
import { type DataColumn, DataTable } from "@/ui/DataTable";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { Panel } from "@/ui/Panel";
import { TimeText } from "@/ui/TimeText";
import { notificationsQuery } from "../notification-queries";
import { eventNames, mailFailureNames, notificationStateNames } from "../words";
import { NoneInState, StateFilter } from "./StateFilter";

/** What one was or is to be told of, the newest first. */
export function NotificationLog({ projectId }: { projectId: string }) {
  const { t } = useLingui();
  const [state, setState] = useState<NotificationState>();
  const told = useInfiniteQuery(notificationsQuery(projectId, state));
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
          const { next_try_at: next } = original;
          return (
            <>
              {t(notificationStateNames[original.state])}
              {failure ? `: ${t(failure)}` : null}
              {failure && next ? (
                <>
                  {" · "}
                  <Trans>
                    next try <TimeText at={next} />
                  </Trans>
                </>
              ) : null}
            </>
          );
        },
      },
    ],
    [t],
  );
  return (
    <Panel
      title={t`What you were told of`}
      flush
      actions={
        <StateFilter
          label={t`Which mails`}
          names={notificationStateNames}
          value={state}
          onChange={setState}
        />
      }
    >
      {told.isError ? (
        <ErrorNotice
          title={t`What was told could not be loaded`}
          error={told.error}
          onRetry={() => void told.refetch()}
        />
      ) : (
        <DataTable
          label={t`What you were told of`}
          columns={columns}
          rows={told.data?.pages.flatMap((page) => page.items)}
          rowId={({ id }) => id}
          onMore={told.hasNextPage ? () => void told.fetchNextPage() : undefined}
          loadingMore={told.isFetchingNextPage}
          empty={
            state ? (
              <NoneInState onShowAll={() => setState(undefined)} />
            ) : (
              <EmptyState icon={<IconMail size={22} />} title={t`Nothing was sent yet`}>
                <Trans>
                  The next event that you want to hear of stands here, and so does a test.
                </Trans>
              </EmptyState>
            )
          }
        />
      )}
    </Panel>
  );
}
