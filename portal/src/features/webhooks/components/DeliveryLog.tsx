import { Trans, useLingui } from "@lingui/react/macro";
import { Button } from "@mantine/core";
import { IconWebhook } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import type { Delivery } from "@/api/generated/models/delivery";
import type { DeliveryState } from "@/api/generated/models/deliveryState";
import type { Webhook } from "@/api/generated/models/webhook";
import { type DataColumn, DataTable } from "@/ui/DataTable";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { TimeText } from "@/ui/TimeText";
import { deliveriesQuery } from "../queries";
import { stateNames } from "../words";
import { DeliveryView } from "./DeliveryView";
import { NoneInState, StateFilter } from "./StateFilter";
import { useOutcome } from "./useOutcome";

type Props = { webhook: Webhook; projectId: string; canChange: boolean };

/** What a webhook was or is to be told, the newest first, and one of it in full. */
export function DeliveryLog({ webhook, projectId, canChange }: Props) {
  const { t } = useLingui();
  const outcome = useOutcome();
  const [state, setState] = useState<DeliveryState>();
  const deliveries = useInfiniteQuery(deliveriesQuery(webhook.id, state));
  const [shown, setShown] = useState<string | null>(null);

  const columns = useMemo<DataColumn<Delivery>[]>(
    () => [
      {
        id: "at",
        header: t`When`,
        cell: ({ row }) => <TimeText at={row.original.created_at} />,
      },
      {
        id: "event",
        header: t`Event`,
        cell: ({ row }) => <span className="rb-mono">{row.original.event_type}</span>,
      },
      { id: "state", header: t`State`, cell: ({ row }) => t(stateNames[row.original.state]) },
      {
        id: "outcome",
        header: t`Last call`,
        cell: ({ row }) => outcome(row.original) || "—",
      },
      {
        id: "attempts",
        header: t`Calls`,
        meta: { numeric: true },
        cell: ({ row }) => row.original.attempts,
      },
      {
        id: "actions",
        header: () => <span className="rb-visually-hidden">{t`What can be done`}</span>,
        meta: { tight: true },
        cell: ({ row: { original } }) => (
          <Button
            size="xs"
            variant="subtle"
            color="gray"
            aria-expanded={shown === original.id}
            onClick={() => setShown(shown === original.id ? null : original.id)}
          >
            <Trans>Details</Trans>
          </Button>
        ),
      },
    ],
    [t, outcome, shown],
  );

  if (deliveries.isError) {
    return (
      <ErrorNotice
        title={t`The deliveries could not be loaded`}
        error={deliveries.error}
        onRetry={() => void deliveries.refetch()}
      />
    );
  }
  return (
    <>
      <StateFilter
        label={t`Which deliveries`}
        names={stateNames}
        value={state}
        onChange={setState}
      />
      <DataTable
        label={t`Deliveries of ${webhook.name}`}
        columns={columns}
        rows={deliveries.data?.pages.flatMap((page) => page.items)}
        rowId={({ id }) => id}
        onMore={deliveries.hasNextPage ? () => void deliveries.fetchNextPage() : undefined}
        loadingMore={deliveries.isFetchingNextPage}
        empty={
          state ? (
            <NoneInState onShowAll={() => setState(undefined)} />
          ) : (
            <EmptyState icon={<IconWebhook size={22} />} title={t`Nothing was sent yet`}>
              <Trans>The next event that it is told of stands here, and so does a test.</Trans>
            </EmptyState>
          )
        }
      />
      {shown ? (
        <DeliveryView
          deliveryId={shown}
          webhookId={webhook.id}
          projectId={projectId}
          canChange={canChange}
        />
      ) : null}
    </>
  );
}
