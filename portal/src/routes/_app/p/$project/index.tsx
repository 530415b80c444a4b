import { Trans, useLingui } from "@lingui/react/macro";
import { Text } from "@mantine/core";
import { useSuspenseQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { projectQuery } from "@/features/projects/queries";
import { MarkdownView } from "@/ui/MarkdownView";
import { PageHeader } from "@/ui/PageHeader";
import { Panel } from "@/ui/Panel";

export const Route = createFileRoute("/_app/p/$project/")({ component: OverviewPage });

function OverviewPage() {
  const { t } = useLingui();
  const { project: slug } = Route.useParams();
  const { data: project } = useSuspenseQuery(projectQuery(slug));
  return (
    <>
      <PageHeader title={project.name} />
      <Panel title={t`About`}>
        {project.description ? (
          <MarkdownView text={project.description} />
        ) : (
          <Text c="dimmed" size="sm">
            <Trans>No description yet.</Trans>
          </Text>
        )}
      </Panel>
    </>
  );
}
