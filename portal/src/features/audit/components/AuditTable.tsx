import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Code, Group } from "@mantine/core";
import { IconCheck, IconHistory, IconX } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import type { AuditEvent } from "@/api/generated/models/auditEvent";
import { type DataColumn, DataTable } from "@/ui/DataTable";
import { EmptyState } from "@/ui/EmptyState";
import { TimeText } from "@/ui/TimeText";
import { actionNames, targetNames } from "../actions";
import { pageOf } from "../pages";
import classes from "./AuditTable.module.css";

type Props = {
  events: AuditEvent[] | undefined;
  /** People by id, to name those something was done to; who acted in these events is known anyway. */
  people?: ReadonlyMap<string, string>;
  /** The addresses of projects by id that whoever looks can open, to link to what it was done to. */
  projects?: ReadonlyMap<string, string>;
  /** Shows only what one person did, or what was done to one thing. */
  onNarrow?: (by: { by: string } | { target: string }) => void;
  /** Whether a filter hides something; takes all of them away. */
  onShowAll?: () => void;
  onMore?: () => void;
  loadingMore?: boolean;
};

/** Who did what, when, from where; the newest first. */
export function AuditTable(props: Props) {
  const { events, people, projects, onNarrow, onShowAll, onMore, loadingMore } = props;
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
        cell: ({ row }) => (
          <span className={classes.at}>
            <TimeText at={row.original.at} as="dateTime" />
          </span>
        ),
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
          <Details event={original} names={names} projects={projects} onNarrow={onNarrow} />
        ),
      },
      {
        id: "address",
        header: t`From`,
        cell: ({ row: { original } }) => <span className="rb-mono">{original.address ?? "—"}</span>,
      },
    ],
    [t, names, projects, onNarrow],
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

type DetailsProps = Pick<Props, "projects" | "onNarrow"> & {
  event: AuditEvent;
  names: ReadonlyMap<string, string>;
};

/** What it was done to, and on demand everything that was noted. */
function Details({ event, names, projects, onNarrow }: DetailsProps) {
  const targetName = useTargetName();
  const { actor_id, target_id, target_type, trace_id } = event;
  // What another service told of its event stands one level deeper.
  const { data, ...rest } = event.details;
  const deeper =
    typeof data === "object" && data !== null && !Array.isArray(data) ? data : { data };
  const noted: [string, unknown][] = Object.entries({ ...rest, ...deeper });
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
          .filter(([, value]) => value !== undefined && value !== null && value !== "")
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{typeof value === "object" ? JSON.stringify(value) : String(value)}</dd>
            </div>
          ))}
      </dl>
      <Group gap="xs">
        <OpenTarget event={event} projects={projects} />
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
            <Trans>All about this {targetName(target_type)}</Trans>
          </Button>
        ) : null}
      </Group>
    </details>
  );
}

function Target({ event, names }: Pick<DetailsProps, "event" | "names">) {
  const { t } = useLingui();
  const targetName = useTargetName();
  const { target_id: id, target_type: type, details } = event;
  if (!id || !type) return <>{t`More`}</>;
  const given = typeof details.subject_name === "string" ? details.subject_name : undefined;
  return (
    <>
      <span className={classes.name}>{targetName(type)}</span>{" "}
      {given ?? names.get(id) ?? `${id.slice(0, 8)}…`}
    </>
  );
}

function useTargetName(): (type: string) => string {
  const { t } = useLingui();
  return (type) => {
    const name = targetNames[type];
    return name ? t(name) : type;
  };
}

function OpenTarget({ event, projects }: Pick<DetailsProps, "event" | "projects">) {
  const targetName = useTargetName();
  const project = projects?.get(event.project_id ?? "");
  const page = project && pageOf(event, project);
  if (!page || !event.target_type) return null;
  return (
    // Its address was checked where it was made; Button and Link together lose the type on the way.
    <Button size="compact-xs" variant="default" component={Link} {...(page as { to: "/" })}>
      <Trans>Open this {targetName(event.target_type)}</Trans>
    </Button>
  );
}
