import { Trans, useLingui } from "@lingui/react/macro";
import { Button } from "@mantine/core";
import { IconPlugX } from "@tabler/icons-react";
import type { Sensor } from "@/api/generated/models/sensor";
import { ConfirmInPlace } from "@/ui/ConfirmInPlace";
import { EditableHeader } from "@/ui/EditableHeader";
import { announce, announceFailure } from "@/ui/notices";
import { useSensorChanges } from "../queries";
import { HealthBadge } from "./HealthBadge";

type Props = { sensor: Sensor; canEdit: boolean };

export function SensorHeader({ sensor, canEdit }: Props) {
  const { t } = useLingui();
  const { change, decommission } = useSensorChanges(sensor);
  const { name } = sensor;
  const active = sensor.status === "active";
  return (
    <EditableHeader
      title={name}
      label={t`Name of the sensor`}
      canEdit={canEdit && active}
      onRename={(title) => change.mutateAsync({ name: title })}
      badge={active ? <HealthBadge health={sensor.health} /> : null}
      lead={
        active ? sensor.description : t`Decommissioned: its readings stay, nothing new is taken.`
      }
      actions={
        canEdit && active ? (
          <ConfirmInPlace
            action={t`Decommission`}
            question={
              <Trans>
                Decommission “{name}”? Its tokens end at once and nothing more is taken from it; its
                readings stay.
              </Trans>
            }
            typed={{ label: t`Type the sensor's name to go on`, value: name }}
            busy={decommission.isPending}
            onConfirm={() =>
              decommission.mutate(undefined, {
                onSuccess: () => announce(t`“${name}” is decommissioned`),
                onError: (error) => announceFailure(t`“${name}” was not decommissioned`, error),
              })
            }
            trigger={(open) => (
              <Button
                size="xs"
                variant="default"
                leftSection={<IconPlugX size={15} aria-hidden />}
                onClick={open}
              >
                <Trans>Decommission</Trans>
              </Button>
            )}
          />
        ) : null
      }
    />
  );
}
