import { Trans, useLingui } from "@lingui/react/macro";
import { Stack } from "@mantine/core";
import { IconWebhook } from "@tabler/icons-react";
import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { addTexts } from "@/app/i18n";
import { projectQuery } from "@/features/projects/queries";
import { MetricLimits } from "@/features/webhooks/components/MetricLimits";
import { NewWebhookPanel } from "@/features/webhooks/components/NewWebhookPanel";
import { WebhookPanel } from "@/features/webhooks/components/WebhookPanel";
import { webhooksQuery } from "@/features/webhooks/queries";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { PageHeader } from "@/ui/PageHeader";
import { Panel } from "@/ui/Panel";

export const Route = createFileRoute("/_app/p/$project/webhooks")({
  loader: () => addTexts("people"),
  component: WebhooksPage,
});

function WebhooksPage() {
  const { t } = useLingui();
  const { project: slug } = Route.useParams();
  const { data: project } = useSuspenseQuery(projectQuery(slug));
  const webhooks = useQuery(webhooksQuery(project.id));
  const canChange = project.archived_at === null;

  return (
    <>
      <PageHeader
        title={t`Webhooks`}
        lead={
          <Trans>
            Other systems hear what happens in this project: a signed call for every event, again
            and again until it is accepted. Only owners see this.
          </Trans>
        }
      />
      <Stack gap="lg">
        {webhooks.isError ? (
          <ErrorNotice
            title={t`The webhooks could not be loaded`}
            error={webhooks.error}
            onRetry={() => void webhooks.refetch()}
          />
        ) : (
          <>
            {canChange ? (
              <Panel title={t`New webhook`}>
                <NewWebhookPanel projectId={project.id} />
              </Panel>
            ) : null}
            {webhooks.data?.length === 0 ? (
              <Panel flush>
                <EmptyState icon={<IconWebhook size={22} />} title={t`No webhook yet`}>
                  <Trans>Name an address above, and it is told of what you choose.</Trans>
                </EmptyState>
              </Panel>
            ) : null}
            {webhooks.data?.map((webhook) => (
              <WebhookPanel
                key={webhook.id}
                webhook={webhook}
                projectId={project.id}
                canChange={canChange}
              />
            ))}
            <Panel
              title={t`Limits on metrics`}
              lead={
                <Trans>
                  A run whose latest value is found beyond a limit is told of once, to the webhooks
                  that hear of limits.
                </Trans>
              }
            >
              <MetricLimits projectId={project.id} canChange={canChange} />
            </Panel>
          </>
        )}
      </Stack>
    </>
  );
}
