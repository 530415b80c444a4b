import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Select, Stack, Text } from "@mantine/core";
import { useState } from "react";
import type { Sensor } from "@/api/generated/models/sensor";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { Panel } from "@/ui/Panel";
import { useSensorChanges } from "../queries";
import classes from "./Sensors.module.css";

type Props = {
  sensor: Sensor;
  /** The projects that this person may share it with. */
  projects: readonly { id: string; name: string }[];
  canEdit: boolean;
};

/** Which other projects may read the sensor and record it. */
export function SharingPanel({ sensor, projects, canEdit }: Props) {
  const { t } = useLingui();
  const { share, unshare } = useSensorChanges(sensor);
  const [chosen, setChosen] = useState<string | null>(null);
  const nameOf = (id: string) => projects.find((one) => one.id === id)?.name ?? id;
  const offered = projects.filter(
    ({ id }) => id !== sensor.project_id && !sensor.shared_with.includes(id),
  );
  return (
    <Panel title={t`Shared with`}>
      <Stack gap="sm">
        {share.isError ? <ErrorNotice error={share.error} /> : null}
        {unshare.isError ? <ErrorNotice error={unshare.error} /> : null}
        {sensor.shared_with.length === 0 ? (
          <Text size="sm" c="dimmed">
            <Trans>Only its own project reads it.</Trans>
          </Text>
        ) : (
          <ul className={classes.list}>
            {sensor.shared_with.map((id) => {
              const name = nameOf(id);
              return (
                <li key={id}>
                  {name}
                  {canEdit ? (
                    <Button
                      size="compact-xs"
                      variant="subtle"
                      color="gray"
                      aria-label={t`Stop sharing with ${name}`}
                      onClick={() => unshare.mutate(id)}
                    >
                      <Trans>Stop sharing</Trans>
                    </Button>
                  ) : null}
                </li>
              );
            })}
          </ul>
        )}
        {canEdit && offered.length > 0 ? (
          <Group gap="xs" align="end">
            <Select
              size="xs"
              searchable
              label={t`Another project`}
              data={offered.map(({ id, name }) => ({ value: id, label: name }))}
              value={chosen}
              onChange={setChosen}
            />
            <Button
              size="xs"
              variant="default"
              disabled={chosen === null}
              loading={share.isPending}
              onClick={() => {
                if (chosen) share.mutate(chosen, { onSuccess: () => setChosen(null) });
              }}
            >
              <Trans>Share</Trans>
            </Button>
          </Group>
        ) : null}
      </Stack>
    </Panel>
  );
}
