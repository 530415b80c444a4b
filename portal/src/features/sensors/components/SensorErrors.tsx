import { Trans, useLingui } from "@lingui/react/macro";
import { IconCircleCheck } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { SensorError } from "@/api/generated/models/sensorError";
import { type DataColumn, DataTable } from "@/ui/DataTable";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { useFormats } from "@/ui/format";
import { Panel } from "@/ui/Panel";
import { TimeText } from "@/ui/TimeText";
import { sensorErrorsQuery } from "../queries";

/** What was refused of what the sensor sent, and why. */
export function SensorErrors({ sensorId }: { sensorId: string }) {
  const { t } = useLingui();
  const formats = useFormats();
  const errors = useQuery(sensorErrorsQuery(sensorId));
  const columns: DataColumn<SensorError>[] = [
    { id: "time", header: t`When`, cell: ({ row }) => <TimeText at={row.original.last_at} /> },
    {
      id: "reason",
      header: t`Reason`,
      cell: ({ row }) => row.original.reason,
    },
    {
      id: "signal",
      header: t`Signal`,
      cell: ({ row }) => <span className="rb-mono">{row.original.signal || "—"}</span>,
    },
    { id: "example", header: t`Example`, cell: ({ row }) => row.original.example },
    {
      id: "count",
      header: t`How many`,
      meta: { numeric: true },
      cell: ({ row }) => formats.number(row.original.count),
    },
  ];
  if (errors.isError) {
    return (
      <ErrorNotice
        title={t`The errors could not be loaded`}
        error={errors.error}
        onRetry={() => void errors.refetch()}
      />
    );
  }
  return (
    <Panel flush title={t`Refused data`}>
      <DataTable
        label={t`Refused data`}
        columns={columns}
        rows={errors.data}
        rowId={({ minute, signal, reason }) => `${minute} ${signal} ${reason}`}
        empty={
          <EmptyState icon={<IconCircleCheck size={22} />} title={t`Nothing was refused`}>
            <Trans>
              Batches that cannot be stored and readings with impossible times or values would stand
              here, with their reason.
            </Trans>
          </EmptyState>
        }
      />
    </Panel>
  );
}
