import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Select, Stack, Text } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import type { Sensor } from "@/api/generated/models/sensor";
import type { SensorToken } from "@/api/generated/models/sensorToken";
import { ConfirmInPlace } from "@/ui/ConfirmInPlace";
import { type DataColumn, DataTable } from "@/ui/DataTable";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { announce, announceFailure } from "@/ui/notices";
import { Panel } from "@/ui/Panel";
import { TimeText } from "@/ui/TimeText";
import { sensorTokensQuery, useTokenChanges } from "../queries";
import { TokenOnce } from "./TokenOnce";

const graces = ["0", "3600", "86400", "604800"] as const;

type Props = { sensor: Sensor; canEdit: boolean };

/** The sensor's secrets: a new one in place of the old, which stays good for a while. */
export function SensorTokens({ sensor, canEdit }: Props) {
  const { t } = useLingui();
  const tokens = useQuery(sensorTokensQuery(sensor.id));
  const { rotate } = useTokenChanges(sensor.id);
  const [grace, setGrace] = useState<string>("86400");
  const graceNames: Record<string, string> = {
    "0": t`Ends at once`,
    "3600": t`Another hour`,
    "86400": t`Another day`,
    "604800": t`Another week`,
  };
  const { id } = sensor;
  // Kept from one answer to the next, or a question in a cell would close again.
  const columns = useMemo<DataColumn<SensorToken>[]>(
    () => [
      {
        id: "key",
        header: t`Begins with`,
        cell: ({ row }) => <span className="rb-mono">{`rb_sensor_${row.original.key_id}_…`}</span>,
      },
      {
        id: "made",
        header: t`Made`,
        cell: ({ row }) => <TimeText at={row.original.created_at} />,
      },
      {
        id: "state",
        header: t`Valid`,
        cell: ({ row }) => <Validity token={row.original} />,
      },
      {
        id: "actions",
        header: () => <span className="rb-visually-hidden">{t`What can be done`}</span>,
        meta: { tight: true },
        cell: ({ row: { original } }) =>
          canEdit && original.state !== "ended" ? (
            <RevokeToken sensorId={id} token={original} />
          ) : null,
      },
    ],
    [t, canEdit, id],
  );

  return (
    <Stack gap="lg">
      {canEdit ? (
        <Panel
          title={t`New token`}
          lead={
            <Trans>
              The sensor gets a new secret. The old one goes on for as long as you say, so that
              nothing is lost while you change it.
            </Trans>
          }
        >
          {rotate.data ? (
            <Stack gap="sm">
              <TokenOnce
                title={t`The new token is ready. Copy it now.`}
                token={rotate.data.token}
                signal={sensor.signals[0]?.name}
              />
              <Button variant="default" w="fit-content" onClick={() => rotate.reset()}>
                <Trans>I have kept it</Trans>
              </Button>
            </Stack>
          ) : (
            <Stack gap="sm">
              {rotate.isError ? <ErrorNotice error={rotate.error} /> : null}
              <Group align="end">
                <Select
                  label={t`The old token`}
                  value={grace}
                  allowDeselect={false}
                  onChange={(value) => setGrace(value ?? "86400")}
                  data={graces.map((value) => ({ value, label: graceNames[value] ?? value }))}
                />
                <Button loading={rotate.isPending} onClick={() => rotate.mutate(Number(grace))}>
                  <Trans>Make a new token</Trans>
                </Button>
              </Group>
            </Stack>
          )}
        </Panel>
      ) : null}
      {tokens.isError ? (
        <ErrorNotice
          title={t`The tokens could not be loaded`}
          error={tokens.error}
          onRetry={() => void tokens.refetch()}
        />
      ) : (
        <Panel flush title={t`Tokens of the sensor`}>
          <DataTable
            label={t`Tokens of the sensor`}
            columns={columns}
            rows={tokens.data}
            rowId={({ id }) => id}
            empty={
              <EmptyState icon={<IconKey size={22} />} title={t`No token`}>
                <Trans>Nothing can send for this sensor until a token is made.</Trans>
              </EmptyState>
            }
          />
        </Panel>
      )}
    </Stack>
  );
}

function Validity({ token }: { token: SensorToken }) {
  if (token.state === "ended") {
    return (
      <Text size="sm" c="dimmed">
        <Trans>ended</Trans>
      </Text>
    );
  }
  if (token.expires_at === null) return <Trans>until it is replaced</Trans>;
  return (
    <span>
      <Trans>
        ends <TimeText at={token.expires_at} />
      </Trans>
    </span>
  );
}

function RevokeToken({ sensorId, token }: { sensorId: string; token: SensorToken }) {
  const { t } = useLingui();
  const { revoke } = useTokenChanges(sensorId);
  const { key_id: key } = token;
  return (
    <ConfirmInPlace
      action={t`Revoke`}
      question={<Trans>Revoke {key}? What still sends with it is refused within seconds.</Trans>}
      onConfirm={() =>
        revoke.mutate(token.id, {
          onSuccess: () => announce(t`The token is revoked`),
          onError: (error) => announceFailure(t`The token was not revoked`, error),
        })
      }
      trigger={(open) => (
        <Button
          size="xs"
          variant="subtle"
          color="gray"
          aria-label={t`Revoke the token ${key}`}
          onClick={open}
        >
          <Trans>Revoke</Trans>
        </Button>
      )}
    />
  );
}
