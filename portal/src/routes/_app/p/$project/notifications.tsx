import { Trans, useLingui } from "@lingui/react/macro";
import { Stack } from "@mantine/core";
import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { addTexts } from "@/app/i18n";
import { latestExperimentsQuery } from "@/features/experiments/queries";
import { projectQuery } from "@/features/projects/queries";
import { MailPanel } from "@/features/webhooks/components/MailPanel";
import { MetricLimits } from "@/features/webhooks/components/MetricLimits";
import { NewRule } from "@/features/webhooks/components/NewRule";
import { NotificationLog } from "@/features/webhooks/components/NotificationLog";
import { Rules } from "@/features/webhooks/components/Rules";
import { PageHeader } from "@/ui/PageHeader";
import { Panel } from "@/ui/Panel";

/** As many experiments as there are to choose from: those in which something happened last. */
const offered = 100;

export const Route = createFileRoute("/_app/p/$project/notifications")({
  loader: () => addTexts("people"),
  component: NotificationsPage,
});

function NotificationsPage() {
  const { t } = useLingui();
  const { project: slug } = Route.useParams();
  const { data: project } = useSuspenseQuery(projectQuery(slug));
  const experiments = useQuery(latestExperimentsQuery(project.id, offered)).data?.items ?? [];
  const open = project.archived_at === null;

  return (
    <>
      <PageHeader
        title={t`Notifications`}
        lead={
          <Trans>
            Mail for what you want to know of this project. Everybody sets it for themselves; what
            happens together goes in one mail, twenty an hour at most.
          </Trans>
        }
      />
      <Stack gap="lg">
        <Panel title={t`Mail`}>
          <MailPanel projectId={project.id} />
        </Panel>
        <Panel title={t`What you are told of`}>
          <Rules projectId={project.id} experiments={experiments} canChange={open} />
        </Panel>
        {open ? (
          <Panel title={t`One more`}>
            <NewRule projectId={project.id} experiments={experiments} />
          </Panel>
        ) : null}
        <Panel
          title={t`Limits on metrics`}
          lead={
            <Trans>
              They hold for the whole project. A run whose latest value is found beyond a limit is
              told of once. Limits on sensors stand on the sensor’s page.
            </Trans>
          }
        >
          <MetricLimits projectId={project.id} canChange={open && project.role !== "viewer"} />
        </Panel>
        <NotificationLog projectId={project.id} />
      </Stack>
    </>
  );
}
