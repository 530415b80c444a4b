import { Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, Button, Group, Stack, Tooltip } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import type { Sensor } from "@/api/generated/models/sensor";
import type { Signal } from "@/api/generated/models/signal";
import { type DataColumn, DataTable } from "@/ui/DataTable";
import { useFormats } from "@/ui/format";
import { announceFailure } from "@/ui/notices";
import { Panel } from "@/ui/Panel";
import { useProblemText } from "@/ui/problem-text";
import { useSensorChanges } from "../queries";
import { emptySignal, SignalFields, signalFrom } from "./SignalFields";

type Props = { sensor: Sensor; canEdit: boolean };

/** What the sensor measures, and in which units. */
export function SignalsPanel({ sensor, canEdit }: Props) {
  const { t } = useLingui();
  const formats = useFormats();
  const describe = useProblemText();
  const { addSignal, removeSignal } = useSensorChanges(sensor);
  const [draft, setDraft] = useState<ReturnType<typeof emptySignal> | null>(null);
  const columns: DataColumn<Signal>[] = [
    {
      id: "name",
      header: t`Signal`,
      cell: ({ row: { original } }) => (
        <span className="rb-mono">{original.title || original.name}</span>
      ),
    },
    { id: "raw", header: t`Raw unit`, cell: ({ row }) => row.original.input_unit || "—" },
    {
      id: "physical",
      header: t`Physical unit`,
      cell: ({ row }) => row.original.display_unit || "—",
    },
    {
      id: "rate",
      header: t`Expected rate`,
      meta: { numeric: true },
      cell: ({ row: { original } }) =>
        original.expected_rate_hz ? `${formats.number(original.expected_rate_hz)} Hz` : "—",
    },
  ];
  if (canEdit) {
    columns.push({
      id: "actions",
      header: () => <span className="rb-visually-hidden">{t`What can be done`}</span>,
      meta: { tight: true },
      cell: ({ row: { original } }) => {
        const { name } = original;
        return (
          <Tooltip label={t`Remove the signal, while it has no readings`}>
            <ActionIcon
              aria-label={t`Remove the signal ${name}`}
              onClick={() =>
                removeSignal.mutate(name, {
                  onError: (error) => announceFailure(t`“${name}” was not removed`, error),
                })
              }
            >
              <IconTrash size={16} aria-hidden />
            </ActionIcon>
          </Tooltip>
        );
      },
    });
  }

  function add(event: FormEvent): void {
    event.preventDefault();
    if (!draft?.name.trim()) return;
    addSignal.mutate(signalFrom(draft), { onSuccess: () => setDraft(null) });
  }

  return (
    <Panel
      flush
      title={t`Signals`}
      actions={
        canEdit && draft === null ? (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconPlus size={15} aria-hidden />}
            onClick={() => setDraft(emptySignal())}
          >
            <Trans>Add a signal</Trans>
          </Button>
        ) : null
      }
    >
      {draft ? (
        <form onSubmit={add}>
          <Stack gap="xs" p="sm">
            <SignalFields signal={draft} number={sensor.signals.length + 1} onChange={setDraft} />
            {addSignal.isError ? <span role="alert">{describe(addSignal.error)}</span> : null}
            <Group gap="xs">
              <Button size="xs" type="submit" loading={addSignal.isPending}>
                <Trans>Add</Trans>
              </Button>
              <Button size="xs" variant="default" onClick={() => setDraft(null)}>
                <Trans>Cancel</Trans>
              </Button>
            </Group>
          </Stack>
        </form>
      ) : null}
      <DataTable
        label={t`Signals`}
        columns={columns}
        rows={sensor.signals}
        rowId={({ name }) => name}
        empty={null}
      />
    </Panel>
  );
}
