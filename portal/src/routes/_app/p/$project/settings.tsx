import { Trans, useLingui } from "@lingui/react/macro";
import { Stack } from "@mantine/core";
import { useSuspenseQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { ArchiveProject } from "@/features/projects/components/ArchiveProject";
import { ProjectSettingsForm } from "@/features/projects/components/ProjectSettingsForm";
import { projectQuery } from "@/features/projects/queries";
import { PageHeader } from "@/ui/PageHeader";
import { Panel } from "@/ui/Panel";

export const Route = createFileRoute("/_app/p/$project/settings")({ component: SettingsPage });

function SettingsPage() {
  const { t } = useLingui();
  const { project: slug } = Route.useParams();
  const navigate = Route.useNavigate();
  const { data: project } = useSuspenseQuery(projectQuery(slug));
  const changeable = project.role === "owner" && project.archived_at === null;

  return (
    <>
      <PageHeader
        title={t`Project settings`}
        lead={project.role === "owner" ? null : <Trans>Only owners change these.</Trans>}
      />
      <Stack gap="lg">
        <Panel split title={t`About the project`}>
          <ProjectSettingsForm
            key={project.id}
            project={project}
            readOnly={!changeable}
            onMoved={(moved) =>
              void navigate({
                to: "/p/$project/settings",
                params: { project: moved },
                replace: true,
              })
            }
          />
        </Panel>
        {changeable ? (
          <Panel split title={t`Archive`}>
            <ArchiveProject project={project} />
          </Panel>
        ) : null}
      </Stack>
    </>
  );
}
