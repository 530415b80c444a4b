import { Trans, useLingui } from "@lingui/react/macro";
import { Code, Text } from "@mantine/core";
import { IconCheck, IconHistory, IconX } from "@tabler/icons-react";
import { useMemo } from "react";
import type { AuditEvent } from "@/api/generated/models/auditEvent";
import { type DataColumn, DataTable } from "@/ui/DataTable";
import { EmptyState } from "@/ui/EmptyState";
import { TimeText } from "@/ui/TimeText";
import { actionNames } from "../actions";
import classes from "./AuditTable.module.css";

type Props = {
  events: AuditEvent[] | undefined;
  onMore?: () => void;
  loadingMore?: boolean;
};

/** Who did what, when, from where; the newest first. */
export function AuditTable({ events, onMore, loadingMore }: Props) {
  const { t } = useLingui();
  const columns = useMemo<DataColumn<AuditEvent>[]>(
    () => [
      {
        id: "at",
        header: t`When`,
        cell: ({ row }) => <TimeText at={row.original.at} as="dateTime" />,
      },
      {
        id: "actor",
        header: t`Who`,
        cell: ({ row: { original } }) => original.actor_name ?? t`System`,
      },
      {
        id: "action",
        header: t`What`,
        cell: ({ row: { original } }) => (
          <span className={classes.action}>
            {original.result !== "success" ? (
              <IconX size={15} aria-label={t`Refused`} className={classes.refused} />
            ) : (
              <IconCheck size={15} aria-label={t`Done`} className={classes.done} />
            )}
            <span title={original.action}>
              <ActionName action={original.action} />
            </span>
          </span>
        ),
      },
      {
        id: "details",
        header: t`Details`,
        cell: ({ row: { original } }) => <Details event={original} />,
      },
      {
        id: "address",
        header: t`From`,
        cell: ({ row: { original } }) => <span className="rb-mono">{original.address ?? "—"}</span>,
      },
    ],
    [t],
  );
  return (
    <DataTable
      label={t`Audit`}
      columns={columns}
      rows={events}
      rowId={(event) => event.id}
      onMore={onMore}
      loadingMore={loadingMore}
      empty={
        <EmptyState icon={<IconHistory size={22} />} title={t`Nothing recorded`}>
          <Trans>Sign-ins, changes of members, tokens and settings appear here.</Trans>
        </EmptyState>
      }
    />
  );
}

function ActionName({ action }: { action: string }) {
  const { t } = useLingui();
  const name = actionNames[action];
  return name ? t(name) : <Code>{action}</Code>;
}

function Details({ event }: { event: AuditEvent }) {
  const entries = Object.entries(event.details ?? {});
  if (entries.length === 0) return <Text c="dimmed">—</Text>;
  return (
    <span className={classes.details}>
      {entries.map(([name, value]) => (
        <span key={name}>
          <span className={classes.name}>{name}</span>{" "}
          {typeof value === "object" ? JSON.stringify(value) : String(value)}
        </span>
      ))}
    </span>
  );
}
