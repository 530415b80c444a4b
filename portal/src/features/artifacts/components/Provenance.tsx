import { Trans, useLingui } from "@lingui/react/macro";
import { Badge, Group, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Input } from "@/api/generated/models/input";
import { type DataColumn, DataTable } from "@/ui/DataTable";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { Panel } from "@/ui/Panel";
import { TimeText } from "@/ui/TimeText";
import { inputsQuery, namedRunQuery, usesQuery } from "../details";
import { useSizeText } from "../size-text";
import classes from "./Artifacts.module.css";

/** How a page links to a run; null where the run belongs to another project. */
export type RunLink = (run: { id: string }, children: ReactNode) => ReactNode;

type UsesProps = { artifactId: string; sha256: string; projectId: string; runLink: RunLink };

/** The runs that used a file; nothing is shown where none did. */
export function Uses({ artifactId, sha256, projectId, runLink }: UsesProps) {
  const uses = useQuery(usesQuery(artifactId));
  if (!uses.data?.length) return null;
  return (
    <section>
      <Title order={4} size="sm">
        <Trans>Used by</Trans>
      </Title>
      <ul className={classes.uses}>
        {uses.data.map((use) => (
          <li key={`${use.run_id} ${use.role} ${use.sha256}`}>
            <Group gap="xs">
              <RunName id={use.run_id} own={use.project_id === projectId} runLink={runLink} />
              {use.role ? <Badge variant="light">{use.role}</Badge> : null}
              {use.sha256 === sha256 ? null : (
                <Text size="xs" c="dimmed">
                  <Trans>with an earlier content</Trans>
                </Text>
              )}
              <Text size="xs" c="dimmed">
                <TimeText at={use.created_at} />
              </Text>
            </Group>
          </li>
        ))}
      </ul>
    </section>
  );
}

type InputsProps = { runId: string; projectId: string; runLink: RunLink };

/** The files that the run used; nothing is shown where it used none. */
export function RunInputs({ runId, projectId, runLink }: InputsProps) {
  const { t } = useLingui();
  const size = useSizeText();
  const inputs = useQuery(inputsQuery(runId));
  if (inputs.error) {
    return (
      <ErrorNotice
        title={t`The inputs could not be loaded`}
        error={inputs.error}
        onRetry={() => void inputs.refetch()}
      />
    );
  }
  if (!inputs.data?.length) return null;
  const columns: DataColumn<Input>[] = [
    {
      id: "file",
      header: t`File`,
      cell: ({ row: { original } }) => (
        <span>
          <span className="rb-mono">{original.path}</span>
          {original.current ? null : (
            <Text size="xs" c="dimmed">
              <Trans>It has another content now, or is gone.</Trans>
            </Text>
          )}
        </span>
      ),
    },
    { id: "role", header: t`Role`, cell: ({ row }) => row.original.role || "—" },
    {
      id: "source",
      header: t`Made by`,
      cell: ({ row: { original } }) =>
        original.source_run_id ? (
          <RunName
            id={original.source_run_id}
            own={original.project_id === projectId}
            runLink={runLink}
          />
        ) : (
          "—"
        ),
    },
    {
      id: "digest",
      header: "SHA-256",
      cell: ({ row }) => (
        <span className={classes.digest} title={row.original.sha256}>
          {row.original.sha256.slice(0, 12)}…
        </span>
      ),
    },
    {
      id: "size",
      header: t`Size`,
      meta: { numeric: true },
      cell: ({ row }) => size(row.original.size),
    },
    { id: "time", header: t`Used`, cell: ({ row }) => <TimeText at={row.original.created_at} /> },
  ];
  return (
    <Panel flush title={t`Inputs`} lead={t`Files of this and of other runs that this run used.`}>
      <DataTable
        label={t`Inputs`}
        columns={columns}
        rows={inputs.data}
        rowId={({ artifact_id, role, sha256 }) => `${artifact_id} ${role} ${sha256}`}
        empty={null}
      />
    </Panel>
  );
}

function RunName({ id, own, runLink }: { id: string; own: boolean; runLink: RunLink }) {
  const run = useQuery(namedRunQuery(id));
  const name = run.data?.name || `${id.slice(0, 8)}…`;
  return own ? runLink({ id }, name) : <span>{name}</span>;
}
