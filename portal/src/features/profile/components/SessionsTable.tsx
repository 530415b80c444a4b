import { Trans, useLingui } from "@lingui/react/macro";
import { Badge, Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { OpenSession } from "@/api/generated/models/openSession";
import { type DataColumn, DataTable } from "@/ui/DataTable";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { announce, announceFailure } from "@/ui/notices";
import { TimeText } from "@/ui/TimeText";
import { sessionsQuery, useRevokeSession } from "../queries";
import { describeAgent } from "../user-agent";

export function SessionsTable() {
  const { t } = useLingui();
  const sessions = useQuery(sessionsQuery);
  const revoke = useRevokeSession();
  const columns = useMemo<DataColumn<OpenSession>[]>(
    () => [
      {
        id: "where",
        header: t`Where`,
        cell: ({ row: { original } }) => (
          <>
            <span title={original.user_agent ?? undefined}>
              {original.user_agent ? describeAgent(original.user_agent) : t`Unknown program`}
            </span>{" "}
            {original.current ? (
              <Badge size="xs" variant="light">
                <Trans>this one</Trans>
              </Badge>
            ) : null}
          </>
        ),
      },
      {
        id: "address",
        header: t`From`,
        cell: ({ row }) => <span className="rb-mono">{row.original.address ?? "—"}</span>,
      },
      {
        id: "created",
        header: t`Signed in`,
        cell: ({ row }) => <TimeText at={row.original.created_at} as="dateTime" />,
      },
      {
        id: "used",
        header: t`Last active`,
        cell: ({ row }) => <TimeText at={row.original.last_used_at} />,
      },
      {
        id: "actions",
        header: () => (
          <span className="rb-visually-hidden">
            <Trans>Actions</Trans>
          </span>
        ),
        meta: { tight: true },
        cell: ({ row: { original } }) =>
          original.current ? null : (
            <Button
              size="xs"
              variant="subtle"
              color="gray"
              onClick={() =>
                revoke.mutate(original.id, {
                  onSuccess: () => announce(t`The session is ended`),
                  onError: (error) => announceFailure(t`The session was not ended`, error),
                })
              }
            >
              <Trans>End session</Trans>
            </Button>
          ),
      },
    ],
    [t, revoke],
  );
  if (sessions.isError) {
    return (
      <ErrorNotice
        title={t`The sessions could not be loaded`}
        error={sessions.error}
        onRetry={() => void sessions.refetch()}
      />
    );
  }
  return (
    <DataTable
      label={t`Sessions`}
      columns={columns}
      rows={sessions.data?.items}
      rowId={(session) => session.id}
      empty={null}
    />
  );
}
