import { Trans, useLingui } from "@lingui/react/macro";
import { Alert, Badge, Button, Group, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useState } from "react";
import type { Webhook } from "@/api/generated/models/webhook";
import { ConfirmInPlace } from "@/ui/ConfirmInPlace";
import { announce, announceFailure, announceWarning } from "@/ui/notices";
import { Panel } from "@/ui/Panel";
import { TimeText } from "@/ui/TimeText";
import { useWebhookChanges } from "../queries";
import { eventNames, inOrder } from "../words";
import { DeliveryLog } from "./DeliveryLog";
import { NewSecret } from "./NewSecret";
import { SecretOnce } from "./SecretOnce";
import { useOutcome } from "./useOutcome";
import { WebhookForm } from "./WebhookForm";

type Props = { webhook: Webhook; projectId: string; canChange: boolean };

/** One webhook: what it is told of, how it fares, and what can be done with it. */
export function WebhookPanel({ webhook, projectId, canChange }: Props) {
  const { t } = useLingui();
  const outcome = useOutcome();
  const { change, edit, rotate, test, remove } = useWebhookChanges(projectId, webhook.id);
  // As it was when one began: what somebody else does meanwhile is not overwritten.
  const [edited, setEdited] = useState<Webhook | null>(null);
  const [logOpen, setLogOpen] = useState(false);
  const { name } = webhook;
  const paused = webhook.state === "paused";

  const sendTest = () =>
    test.mutate(undefined, {
      onSuccess: (delivery) =>
        delivery.state === "delivered"
          ? announce(t`The test was delivered to “${name}”`)
          : announceWarning(t`The test was not delivered to “${name}”`, outcome(delivery)),
      onError: (error) => announceFailure(t`The test was not sent`, error),
    });
  const turn = () =>
    change.mutate(
      { state: paused ? "active" : "paused" },
      { onError: (error) => announceFailure(t`The webhook was not changed`, error) },
    );

  return (
    <Panel
      title={name}
      lead={<span className="rb-mono">{webhook.url}</span>}
      actions={
        <Badge variant="default" size="sm">
          {paused ? t`Paused` : t`Active`}
        </Badge>
      }
    >
      <Stack gap="md">
        <Trouble webhook={webhook} />
        <SecretBefore until={webhook.previous_secret_until} />
        {rotate.data ? (
          <SecretOnce name={name} secret={rotate.data.secret} onKept={() => rotate.reset()} />
        ) : null}
        {edited ? (
          <WebhookForm
            values={{ name: edited.name, url: edited.url, event_types: edited.event_types }}
            action={t`Save`}
            busy={edit.isPending}
            error={edit.error}
            onSubmit={(values) =>
              edit
                .mutateAsync({ version: edited.version, change: values })
                .then(() => setEdited(null))
            }
            onCancel={() => {
              edit.reset();
              setEdited(null);
            }}
          />
        ) : (
          <Text size="sm" c="dimmed">
            {inOrder(webhook.event_types)
              .map((type) => t(eventNames[type]))
              .join(" · ")}
          </Text>
        )}
        <Group gap="xs">
          {canChange && !edited ? (
            <>
              <Button size="xs" variant="default" loading={test.isPending} onClick={sendTest}>
                <Trans>Send a test</Trans>
              </Button>
              <Button size="xs" variant="default" loading={change.isPending} onClick={turn}>
                {paused ? t`Go on` : t`Pause`}
              </Button>
              <Button size="xs" variant="default" onClick={() => setEdited(webhook)}>
                <Trans>Edit</Trans>
              </Button>
              <NewSecret
                name={name}
                onConfirm={(graceSec) =>
                  rotate.mutate(graceSec, {
                    onError: (error) => announceFailure(t`No secret was made`, error),
                  })
                }
              />
            </>
          ) : null}
          <Button
            size="xs"
            variant="default"
            aria-expanded={logOpen}
            onClick={() => setLogOpen(!logOpen)}
          >
            {logOpen ? t`Hide deliveries` : t`Show deliveries`}
          </Button>
          <ConfirmInPlace
            action={t`Delete`}
            question={
              <Trans>Delete “{name}” with its log? What is on its way is not sent any more.</Trans>
            }
            onConfirm={() =>
              remove.mutate(undefined, {
                onSuccess: () => announce(t`The webhook “${name}” is deleted`),
                onError: (error) => announceFailure(t`The webhook was not deleted`, error),
              })
            }
            trigger={(open) => (
              <Button size="xs" variant="subtle" color="red" onClick={open}>
                <Trans>Delete</Trans>
              </Button>
            )}
          />
        </Group>
        {logOpen ? (
          <DeliveryLog webhook={webhook} projectId={projectId} canChange={canChange} />
        ) : null}
      </Stack>
    </Panel>
  );
}

/** How long calls are signed with the secret before, too. */
function SecretBefore({ until }: { until: string | null }) {
  if (!until || Date.parse(until) < Date.now()) return null;
  return (
    <Text size="sm" c="dimmed">
      <Trans>
        Calls are signed with the secret before as well, until <TimeText at={until} as="dateTime" />
        .
      </Trans>
    </Text>
  );
}

function Trouble({ webhook }: { webhook: Webhook }) {
  const { t } = useLingui();
  const { pause_reason: reason, failing_since: since } = webhook;
  if (reason === "by-hand" || (reason === null && since === null)) return null;
  const title =
    reason === "gone"
      ? t`Paused: the receiver says that it is gone`
      : reason === "failing"
        ? t`Paused: no call was accepted for days`
        : t`No call is accepted at the moment`;
  return (
    <Alert color="yellow" icon={<IconAlertTriangle size={18} aria-hidden />}>
      <Text size="sm" fw={600}>
        {title}
      </Text>
      {since ? (
        <Trans>
          Failing since <TimeText at={since} />.
        </Trans>
      ) : null}{" "}
      {reason ? (
        <Trans>What happens meanwhile waits, and is sent when the webhook goes on.</Trans>
      ) : (
        <Trans>Deliveries are tried again by themselves.</Trans>
      )}
    </Alert>
  );
}
