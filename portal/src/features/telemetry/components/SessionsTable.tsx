import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Group } from "@mantine/core";
import { IconPlayerRecord } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { CaptureSession } from "@/api/generated/models/captureSession";
import { type DataColumn, DataTable } from "@/ui/DataTable";
import { EmptyState } from "@/ui/EmptyState";
import { useFormats } from "@/ui/format";
import { TimeText } from "@/ui/TimeText";
import { clockText, useNow } from "../clock";
import { sessionExportPath, summaryQuery } from "../queries";
import { ExportMenu } from "./ExportMenu";
import classes from "./Telemetry.module.css";

type Props = {
  sessions: CaptureSession[] | undefined;
  chosen: string | null;
  onChoose: (id: string | null) => void;
};

/** Every session of the run: how long, how much, how much of it came late. */
export function SessionsTable({ sessions, chosen, onChoose }: Props) {
  const { t } = useLingui();
  // The same from one second to the next, or what somebody has opened in a cell would close again.
  const columns = useMemo<DataColumn<CaptureSession>[]>(
    () => [
      {
        id: "name",
        header: t`Session`,
        cell: ({ row: { original } }) =>
          original.name ? `${original.ordinal}. ${original.name}` : `#${original.ordinal}`,
      },
      {
        id: "begin",
        header: t`Began`,
        cell: ({ row }) => <TimeText at={row.original.started_at} as="dateTime" />,
      },
      {
        id: "duration",
        header: t`Took`,
        meta: { numeric: true },
        cell: ({ row }) => <Duration session={row.original} />,
      },
      {
        id: "readings",
        header: t`Readings`,
        meta: { numeric: true },
        cell: ({ row }) => <Readings session={row.original} />,
      },
      {
        id: "actions",
        header: () => <span className="rb-visually-hidden">{t`What can be done`}</span>,
        meta: { tight: true },
        cell: ({ row: { original } }) => {
          const label = original.name || `#${original.ordinal}`;
          const open = chosen === original.id;
          return (
            <Group gap={4} wrap="nowrap" justify="flex-end">
              <Button
                size="compact-xs"
                variant={open ? "light" : "default"}
                aria-pressed={open}
                aria-label={t`Show session ${label}`}
                onClick={() => onChoose(open ? null : original.id)}
              >
                <Trans>Show</Trans>
              </Button>
              <ExportMenu
                size="compact-xs"
                label={t`Export session ${label}`}
                path={(format) => sessionExportPath(original.id, format)}
              />
            </Group>
          );
        },
      },
    ],
    [t, chosen, onChoose],
  );
  return (
    <DataTable
      label={t`Capture sessions`}
      columns={columns}
      rows={sessions}
      rowId={({ id }) => id}
      empty={
        <EmptyState icon={<IconPlayerRecord size={22} />} title={t`Nothing recorded yet`}>
          <Trans>
            Readings are kept in any case. A session marks what belongs to this run: press Record
            when the test begins, and Stop when it is over.
          </Trans>
        </EmptyState>
      }
    />
  );
}

function Duration({ session }: { session: CaptureSession }) {
  const now = useNow(session.stopped_at === null);
  const end = session.stopped_at ? Date.parse(session.stopped_at) : now;
  return <span>{clockText(end - Date.parse(session.started_at))}</span>;
}

function Readings({ session }: { session: CaptureSession }) {
  const formats = useFormats();
  const { data = [] } = useQuery(summaryQuery(session));
  const count = data.reduce((sum, one) => sum + one.count, 0);
  const late = data.reduce((sum, one) => sum + one.late_count, 0);
  return (
    <span>
      {formats.number(count, { maximumFractionDigits: 0 })}
      {late > 0 ? (
        <span className={classes.late}>
          {" · "}
          <Plural value={late} one="# came late" other="# came late" />
        </span>
      ) : null}
    </span>
  );
}
