import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { Attempt } from "@/api/generated/models/attempt";
import { CodeSnippet } from "@/ui/CodeSnippet";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { Facts } from "@/ui/Facts";
import { announce, announceFailure } from "@/ui/notices";
import { TimeText } from "@/ui/TimeText";
import { deliveryQuery, useWebhookChanges } from "../queries";
import { useOutcome } from "./useOutcome";

type Props = { deliveryId: string; webhookId: string; projectId: string; canChange: boolean };

/** One delivery in full: what is sent, and how each call went. */
export function DeliveryView({ deliveryId, webhookId, projectId, canChange }: Props) {
  const { t } = useLingui();
  const delivery = useQuery(deliveryQuery(deliveryId));
  const { again } = useWebhookChanges(projectId, webhookId);

  if (delivery.isError) {
    return <ErrorNotice title={t`The delivery could not be loaded`} error={delivery.error} />;
  }
  if (!delivery.data) return null;
  const { url, headers, body, calls, next_try_at: next, event_id: id } = delivery.data;
  const head = [
    `POST ${url}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];

  return (
    <Stack gap="sm" role="region" aria-label={t`Delivery`} ref={intoView}>
      <Facts
        facts={[
          [
            t`Event id`,
            <span key="id" className="rb-mono">
              {id}
            </span>,
          ],
          [t`Next call`, <TimeText key="next" at={next} as="dateTime" empty={t`none is due`} />],
        ]}
      />
      <div>
        <Text size="sm" fw={500}>
          <Trans>Calls</Trans>
        </Text>
        {calls.length === 0 ? (
          <Text size="sm" c="dimmed">
            <Trans>Not called yet.</Trans>
          </Text>
        ) : (
          <ol reversed className="rb-plain-list">
            {calls.map((call) => (
              <Call key={call.number} call={call} />
            ))}
          </ol>
        )}
      </div>
      <Text size="sm" fw={500}>
        <Trans>What is sent; time and signature are made anew for every call</Trans>
      </Text>
      <CodeSnippet
        wrap
        code={`${head.join("\n")}\n\n${pretty(body)}`}
        copyLabel={t`Copy the request`}
      />
      {canChange ? (
        <Button
          size="xs"
          variant="default"
          w="fit-content"
          loading={again.isPending}
          onClick={() =>
            again.mutate(deliveryId, {
              onSuccess: () => announce(t`It is sent again`),
              onError: (error) => announceFailure(t`It was not sent again`, error),
            })
          }
        >
          <Trans>Send again</Trans>
        </Button>
      ) : null}
    </Stack>
  );
}

/** It opens below the log, which may be long. */
function intoView(element: HTMLElement | null) {
  element?.scrollIntoView?.({ block: "nearest" });
}

function Call({ call }: { call: Attempt }) {
  const outcome = useOutcome();
  const { at, status, failure, duration_ms: ms } = call;
  const said = outcome({ last_status: status, last_failure: failure });
  return (
    <li>
      <Text size="sm" component="span">
        <TimeText at={at} as="dateTime" /> · {said} · <Trans>{ms} ms</Trans>
      </Text>
    </li>
  );
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
