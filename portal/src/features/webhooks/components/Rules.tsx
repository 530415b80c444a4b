import { Trans, useLingui } from "@lingui/react/macro";
import { Badge, Button, Group, Stack, Text } from "@mantine/core";
import { IconBell } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { NotificationRule } from "@/api/generated/models/notificationRule";
import { ConfirmInPlace } from "@/ui/ConfirmInPlace";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { announceFailure } from "@/ui/notices";
import { rulesQuery, useNotificationChanges } from "../notification-queries";
import { eventNames, inOrder } from "../words";
import { RuleForm } from "./RuleForm";

type Props = {
  projectId: string;
  experiments: readonly { id: string; name: string }[];
  /** Whether anything can be told here: not in an archived project. */
  canChange: boolean;
};

/** What one is told of, and what can be done with each. */
export function Rules({ projectId, experiments, canChange }: Props) {
  const { t } = useLingui();
  const rules = useQuery(rulesQuery(projectId));
  if (rules.isError) {
    return (
      <ErrorNotice
        title={t`Your notifications could not be loaded`}
        error={rules.error}
        onRetry={() => void rules.refetch()}
      />
    );
  }
  if (rules.data?.length === 0) {
    return (
      <EmptyState icon={<IconBell size={22} />} title={t`You are told of nothing yet`}>
        <Trans>Choose below what a mail should tell you of.</Trans>
      </EmptyState>
    );
  }
  return (
    <Stack gap="lg">
      {rules.data?.map((rule) => (
        <Rule
          key={rule.id}
          rule={rule}
          projectId={projectId}
          experiments={experiments}
          canChange={canChange}
        />
      ))}
    </Stack>
  );
}

function Rule({ rule, ...where }: Props & { rule: NotificationRule }) {
  const { projectId, experiments, canChange } = where;
  const { t } = useLingui();
  const { change, edit, remove } = useNotificationChanges(projectId);
  // As it was when one began: what another tab does meanwhile is not overwritten.
  const [edited, setEdited] = useState<NotificationRule | null>(null);
  const paused = rule.state === "paused";
  const events = inOrder(rule.event_types)
    .map((type) => t(eventNames[type]))
    .join(" · ");
  const experiment =
    experiments.find(({ id }) => id === rule.experiment_id)?.name ?? rule.experiment_id;
  const bounds = [
    rule.only_mine ? t`my own runs` : null,
    experiment ? t`runs of “${experiment}”` : null,
    rule.name_part ? t`names with “${rule.name_part}” in them` : null,
  ].filter((bound) => bound !== null);
  if (edited) {
    return (
      <Stack role="group" aria-label={events}>
        <RuleForm
          values={{ ...edited, name_part: edited.name_part ?? "" }}
          experiments={experiments}
          action={t`Save`}
          busy={edit.isPending}
          error={edit.error}
          onSubmit={(given) =>
            edit
              .mutateAsync({
                rule: edited,
                change: { ...given, name_part: given.name_part || null },
              })
              .then(() => setEdited(null))
          }
          onCancel={() => {
            edit.reset();
            setEdited(null);
          }}
        />
      </Stack>
    );
  }
  return (
    <Stack gap="xs" role="group" aria-label={events}>
      <Group justify="space-between" align="start" wrap="nowrap">
        <Text size="sm">{events}</Text>
        <Badge variant="default" size="sm" flex="none">
          {paused ? t`Paused` : t`Active`}
        </Badge>
      </Group>
      {bounds.length > 0 ? (
        <Text size="sm" c="dimmed">
          <Trans>Only: {bounds.join(", ")}</Trans>
        </Text>
      ) : null}
      <Group gap="xs">
        {canChange ? (
          <>
            <Button size="xs" variant="default" onClick={() => setEdited(rule)}>
              <Trans>Edit</Trans>
            </Button>
            <Button
              size="xs"
              variant="default"
              loading={change.isPending}
              onClick={() =>
                change.mutate(
                  { id: rule.id, change: { state: paused ? "active" : "paused" } },
                  {
                    onError: (error) => announceFailure(t`The notification was not changed`, error),
                  },
                )
              }
            >
              {paused ? t`Go on` : t`Pause`}
            </Button>
          </>
        ) : null}
        <ConfirmInPlace
          action={t`Delete`}
          question={<Trans>Tell you of this no more, and forget what was told?</Trans>}
          onConfirm={() =>
            remove.mutate(rule.id, {
              onError: (error) => announceFailure(t`The notification was not deleted`, error),
            })
          }
          trigger={(open) => (
            <Button size="xs" variant="subtle" color="gray" onClick={open}>
              <Trans>Delete</Trans>
            </Button>
          )}
        />
      </Group>
    </Stack>
  );
}
