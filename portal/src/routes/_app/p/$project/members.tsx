import { Trans, useLingui } from "@lingui/react/macro";
import { Stack } from "@mantine/core";
import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { useCallback } from "react";
import { useUser } from "@/app/user";
import { AddMember } from "@/features/members/components/AddMember";
import { MembersTable } from "@/features/members/components/MembersTable";
import { membersQuery } from "@/features/members/queries";
import { projectQuery } from "@/features/projects/queries";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { PageHeader } from "@/ui/PageHeader";
import { Panel } from "@/ui/Panel";

export const Route = createFileRoute("/_app/p/$project/members")({ component: MembersPage });

function MembersPage() {
  const { t } = useLingui();
  const { project: slug } = Route.useParams();
  const navigate = Route.useNavigate();
  const user = useUser();
  const { data: project } = useSuspenseQuery(projectQuery(slug));
  const members = useQuery(membersQuery(project.id));
  const manages = project.role === "owner" && project.archived_at === null;
  const leave = useCallback(() => void navigate({ to: "/p" }), [navigate]);

  return (
    <>
      <PageHeader
        title={t`Members`}
        lead={
          manages ? (
            <Trans>Who may see and change this project. Changes work at once.</Trans>
          ) : (
            <Trans>Who may see and change this project. Only owners change this list.</Trans>
          )
        }
      />
      <Stack gap="lg">
        {manages ? (
          <Panel title={t`Add somebody`}>
            <AddMember
              projectId={project.id}
              memberIds={new Set(members.data?.map((member) => member.user_id))}
            />
          </Panel>
        ) : null}
        {members.isError ? (
          <ErrorNotice
            title={t`The members could not be loaded`}
            error={members.error}
            onRetry={() => void members.refetch()}
          />
        ) : (
          <Panel flush>
            <MembersTable
              project={project}
              members={members.data}
              userId={user.id}
              onLeft={leave}
            />
          </Panel>
        )}
      </Stack>
    </>
  );
}
