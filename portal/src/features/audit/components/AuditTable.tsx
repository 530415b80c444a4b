import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Code, Group } from "@mantine/core";
import { IconCheck, IconHistory, IconX } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
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
  /** The project's address, where links to what it was done to can be made. */
  project?: string;
  /** Shows only what one person did, or what was done to one thing. */
  onNarrow?: (by: { by: string } | { target: string }) => void;
  /** Whether a filter hides something; takes all of them away. */
  onShowAll?: () => void;
  onMore?: () => void;
  loadingMore?: boolean;
};

/** Who did what, when, from where; the newest first. */
export function AuditTable(props: Props) {
  const { events, people, project, onNarrow, onShowAll, onMore, loadingMore } = props;
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
          original.actor_name ??
          (original.actor_kind === "system" || !original.address ? t`System` : t`Anonymous`),
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
        cell: ({ row: { original } }) => (
          <Details event={original} names={names} project={project} onNarrow={onNarrow} />
        ),
      },
      {
        id: "address",
        header: t`From`,
        cell: ({ row: { original } }) => <span className="rb-mono">{original.address ?? "—"}</span>,
      },
    ],
    [t, names, project, onNarrow],
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
        onShowAll ? (
          <EmptyState icon={<IconHistory size={22} />} title={t`Nothing fits the filters`}>
            <Button variant="default" onClick={onShowAll}>
              <Trans>Show everything</Trans>
            </Button>
          </EmptyState>
        ) : (
          <EmptyState icon={<IconHistory size={22} />} title={t`Nothing recorded`}>
            <Trans>Sign-ins, changes of members, tokens, runs and settings appear here.</Trans>
          </EmptyState>
        )
      }
    />
  );
}

function ActionName({ action }: { action: string }) {
  const { t } = useLingui();
  const name = actionNames[action];
  return name ? t(name) : <Code>{action}</Code>;
}

type DetailsProps = Pick<Props, "project" | "onNarrow"> & {
  event: AuditEvent;
  names: ReadonlyMap<string, string>;
};

/** What it was done to, and on demand everything that was noted. */
function Details({ event, names, project, onNarrow }: DetailsProps) {
  const { actor_id, target_id, target_type, trace_id } = event;
  const noted: [string, unknown][] = Object.entries(event.details);
  const facts: [string, unknown][] = [
    ["id", event.id],
    ["action", event.action],
    ["trace_id", trace_id],
    ...noted,
  ];
  return (
    <details className={classes.more}>
      <summary>
        <Target event={event} names={names} />
      </summary>
      <dl className={classes.facts}>
        {facts
          .filter(([, value]) => value !== null && value !== "")
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{typeof value === "object" ? JSON.stringify(value) : String(value)}</dd>
            </div>
          ))}
      </dl>
      <Group gap="xs">
        <OpenTarget event={event} project={project} />
        {onNarrow && actor_id ? (
          <Button size="compact-xs" variant="default" onClick={() => onNarrow({ by: actor_id })}>
            <Trans>All by this actor</Trans>
          </Button>
        ) : null}
        {onNarrow && target_id && target_type ? (
          <Button
            size="compact-xs"
            variant="default"
            onClick={() => onNarrow({ target: target_id })}
          >
            <Trans>All about this {target_type}</Trans>
          </Button>
        ) : null}
      </Group>
    </details>
  );
}

function Target({ event, names }: Pick<DetailsProps, "event" | "names">) {
  const { t } = useLingui();
  const { target_id: id, target_type: type, details } = event;
  if (!id || !type) return <>{t`More`}</>;
  const given = typeof details.subject_name === "string" ? details.subject_name : undefined;
  return (
    <>
      <span className={classes.name}>{type}</span> {given ?? names.get(id) ?? `${id.slice(0, 8)}…`}
    </>
  );
}

/** Where the things live that have a page of their own, and by what name their ids go there. */
const pages = {
  run: ["/p/$project/r/$run", "run"],
  sensor: ["/p/$project/sensors/$sensor", "sensor"],
  experiment: ["/p/$project/x/$experiment", "experiment"],
} as const;

function OpenTarget({ event, project }: Pick<DetailsProps, "event" | "project">) {
  const { target_id: id, target_type: type } = event;
  if (!project || !id || !type || !(type in pages)) return null;
  const [to, name] = pages[type as keyof typeof pages];
  return (
    <Button
      size="compact-xs"
      variant="default"
      component={Link}
      to={to}
      params={{ project, [name]: id } as never}
    >
      <Trans>Open this {type}</Trans>
    </Button>
  );
}
