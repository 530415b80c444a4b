import { Plural, Trans, useLingui } from "@lingui/react/macro";
import {
  Alert,
  Button,
  Checkbox,
  FileButton,
  Group,
  Loader,
  Stack,
  Table,
  Text,
} from "@mantine/core";
import { IconFileImport } from "@tabler/icons-react";
import { type DragEvent, useState } from "react";
import type { Imported } from "@/api/generated/models/imported";
import type { Sensor } from "@/api/generated/models/sensor";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { useFormats } from "@/ui/format";
import { Panel } from "@/ui/Panel";
import { useImport } from "../queries";
import classes from "./Sensors.module.css";

const accepted = ".csv,.parquet,text/csv,application/vnd.apache.parquet";

/** Brings readings that were recorded offline, for example on the memory card of a logger. */
export function ImportFile({ sensor }: { sensor: Sensor }) {
  const { t } = useLingui();
  const [ignoreUnknown, setIgnoreUnknown] = useState(false);
  const [over, setOver] = useState(false);
  const [name, setName] = useState("");
  const bring = useImport(sensor.id);
  const start = (file: File | null | undefined) => {
    if (!file || bring.isPending) return;
    setName(file.name);
    bring.mutate({ file, ignoreUnknown });
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    start(event.dataTransfer.files[0]);
  };
  return (
    <Panel
      title={t`Import a file`}
      lead={
        <Trans>
          CSV or Parquet: a column of times and one a signal, or time, signal and raw value in each
          row. The same file again changes nothing.
        </Trans>
      }
    >
      <Stack gap="sm">
        {/* biome-ignore lint/a11y/noStaticElementInteractions: the button inside does the same */}
        <div
          className={classes.drop}
          data-over={over || undefined}
          onDragOver={(event) => {
            event.preventDefault();
            setOver(true);
          }}
          onDragLeave={() => setOver(false)}
          onDrop={drop}
        >
          {bring.isPending ? (
            <Group gap="sm" role="status">
              <Loader size="sm" />
              <Text size="sm">
                <Trans>“{name}” is being read and stored…</Trans>
              </Text>
            </Group>
          ) : (
            <Group gap="sm" justify="space-between">
              <Text size="sm" c="dimmed">
                <Trans>Drop a file here, or choose one (256 MiB at most).</Trans>
              </Text>
              <FileButton onChange={start} accept={accepted}>
                {(props) => (
                  <Button
                    {...props}
                    size="xs"
                    variant="default"
                    leftSection={<IconFileImport size={15} aria-hidden />}
                  >
                    <Trans>Choose a file</Trans>
                  </Button>
                )}
              </FileButton>
            </Group>
          )}
        </div>
        <Checkbox
          size="xs"
          label={t`Leave out columns that are no signal of this sensor`}
          checked={ignoreUnknown}
          onChange={(event) => setIgnoreUnknown(event.currentTarget.checked)}
        />
        {bring.isError ? (
          <ErrorNotice title={t`“${name}” was not imported`} error={bring.error} />
        ) : null}
        {bring.data ? <Result name={name} result={bring.data} /> : null}
      </Stack>
    </Panel>
  );
}

function Result({ name, result }: { name: string; result: Imported }) {
  const { t } = useLingui();
  const formats = useFormats();
  const refused = result.rejected_count;
  const duplicates = formats.number(result.duplicates);
  return (
    <Alert
      color={refused > 0 || result.set_aside > 0 ? "yellow" : "teal"}
      title={t`“${name}” is imported`}
      role="status"
      variant="light"
    >
      <Stack gap="xs">
        <Text size="sm">
          <Plural value={result.accepted} one="# reading is stored" other="# readings are stored" />
          {result.duplicates > 0 ? ` (${t`${duplicates} of them were there already`})` : null}
          {refused > 0 ? (
            <>
              {"; "}
              <Plural value={refused} one="# was refused" other="# were refused" />
            </>
          ) : null}
          .
        </Text>
        {result.set_aside > 0 ? (
          <Text size="sm">
            <Plural
              value={result.set_aside}
              one="# reading could not be stored. It is kept under “Errors”, with the reason."
              other="# readings could not be stored. They are kept under “Errors”, with the reason."
            />
          </Text>
        ) : null}
        {refused > 0 ? (
          <Table aria-label={t`Refused readings`} withRowBorders={false}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t`Row`}</Table.Th>
                <Table.Th>{t`Signal`}</Table.Th>
                <Table.Th>{t`Reason`}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {result.rejected.slice(0, 20).map(({ index, signal, reason }) => (
                <Table.Tr key={`${signal} ${index} ${reason}`}>
                  <Table.Td>{index === null ? "—" : formats.number(index)}</Table.Td>
                  <Table.Td className="rb-mono">{signal}</Table.Td>
                  <Table.Td>{reason}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        ) : null}
      </Stack>
    </Alert>
  );
}
