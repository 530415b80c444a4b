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
  /** People by id, to name those something was done to; who acted in these events is known anyway. */
  people?: ReadonlyMap<string, string>;
  onMore?: () => void;
  loadingMore?: boolean;
};

/** Who did what, when, from where; the newest first. */
export function AuditTable({ events, people, onMore, loadingMore }: Props) {
  const { t } = useLingui();
  const names = useMemo(() => {
    const known = new Map(people);
    for (const { actor_id, actor_name } of events ?? []) {
      if (actor_id && actor_name) known.set(actor_id, actor_name);
    }
    return known;
  }, [events, people]);
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
        cell: ({ row: { original } }) =>
          original.actor_name ?? (original.address ? t`Anonymous` : t`System`),
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
        cell: ({ row: { original } }) => <Details event={original} names={names} />,
      },
      {
        id: "address",
        header: t`From`,
        cell: ({ row: { original } }) => <span className="rb-mono">{original.address ?? "—"}</span>,
      },
    ],
    [t, names],
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

/** Whom it was done to, if that is a person with a known name, then what was noted about it. */
function Details({ event, names }: { event: AuditEvent; names: ReadonlyMap<string, string> }) {
  const { t } = useLingui();
  const target = event.target_id !== event.actor_id ? names.get(event.target_id ?? "") : undefined;
  const noted = Object.entries(event.details).filter(([, value]) => value !== null);
  if (!target && noted.length === 0) return <Text c="dimmed">—</Text>;
  return (
    <span className={classes.details}>
      {target ? (
        <span>
          <span className={classes.name}>{t`person`}</span> {target}
        </span>
      ) : null}
      {noted.map(([name, value]) => (
        <span key={name}>
          <span className={classes.name}>{name}</span>{" "}
          {typeof value === "object" ? JSON.stringify(value) : String(value)}
        </span>
      ))}
    </span>
  );
}
