import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { SetAside } from "@/api/generated/models/setAside";
import { ConfirmInPlace } from "@/ui/ConfirmInPlace";
import { type DataColumn, DataTable } from "@/ui/DataTable";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { useFormats } from "@/ui/format";
import { announce, announceFailure } from "@/ui/notices";
import { Panel } from "@/ui/Panel";
import { TimeText } from "@/ui/TimeText";
import { setAsideQuery, useSetAsideChanges } from "../queries";

type Props = { projectId: string; sensorId: string; canEdit: boolean; canDiscard: boolean };

/** Batches that were taken but could not be stored; nothing is shown where there are none. */
export function SetAsideBatches({ projectId, sensorId, canEdit, canDiscard }: Props) {
  const { t } = useLingui();
  const formats = useFormats();
  const batches = useQuery(setAsideQuery(projectId, sensorId));
  // Kept from one answer to the next, or a question in a cell would close again.
  const columns = useMemo<DataColumn<SetAside>[]>(
    () => [
      {
        id: "received",
        header: t`Received`,
        cell: ({ row }) => <TimeText at={row.original.received_at} />,
      },
      { id: "reason", header: t`Reason`, cell: ({ row }) => row.original.reason },
      {
        id: "signals",
        header: t`Signals`,
        cell: ({ row }) => (
          <span className="rb-mono">{row.original.signals.join(", ") || "—"}</span>
        ),
      },
      {
        id: "readings",
        header: t`Readings`,
        meta: { numeric: true },
        cell: ({ row }) => formats.number(row.original.readings),
      },
      {
        id: "actions",
        header: () => <span className="rb-visually-hidden">{t`What can be done`}</span>,
        meta: { tight: true },
        cell: ({ row }) => (
          <Actions batch={row.original} canEdit={canEdit} canDiscard={canDiscard} />
        ),
      },
    ],
    [t, formats, canEdit, canDiscard],
  );
  if (batches.isError) {
    return (
      <ErrorNotice
        title={t`The batches that were set aside could not be loaded`}
        error={batches.error}
        onRetry={() => void batches.refetch()}
      />
    );
  }
  if (!batches.data?.length) return null;
  return (
    <Panel
      flush
      title={t`Set aside`}
      lead={
        <Trans>
          These batches were taken, but could not be stored. They are kept here, and hold nothing
          up, until somebody stores them after all or discards them.
        </Trans>
      }
    >
      <DataTable
        label={t`Set aside`}
        columns={columns}
        rows={batches.data}
        rowId={({ id }) => id}
        empty={null}
      />
    </Panel>
  );
}

type ActionsProps = Pick<Props, "canEdit" | "canDiscard"> & { batch: SetAside };

function Actions({ batch, canEdit, canDiscard }: ActionsProps) {
  const { t } = useLingui();
  const { retry, discard } = useSetAsideChanges();
  return (
    <Group gap="xs" wrap="nowrap" justify="flex-end">
      {canEdit ? (
        <Button
          size="xs"
          variant="default"
          loading={retry.isPending}
          onClick={() =>
            retry.mutate(batch.id, {
              onSuccess: () => announce(t`The batch is stored`),
              onError: (error) => announceFailure(t`The batch still cannot be stored`, error),
            })
          }
        >
          <Trans>Try again</Trans>
        </Button>
      ) : null}
      {canDiscard ? (
        <ConfirmInPlace
          action={t`Discard`}
          question={<Trans>Discard the batch? Its readings are gone for good.</Trans>}
          busy={discard.isPending}
          onConfirm={() =>
            discard.mutate(batch.id, {
              onSuccess: () => announce(t`The batch is discarded`),
              onError: (error) => announceFailure(t`The batch was not discarded`, error),
            })
          }
          trigger={(open) => (
            <Button size="xs" variant="subtle" color="gray" onClick={open}>
              <Trans>Discard</Trans>
            </Button>
          )}
        />
      ) : null}
    </Group>
  );
}
