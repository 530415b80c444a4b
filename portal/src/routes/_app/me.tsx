import { Trans, useLingui } from "@lingui/react/macro";
import { Stack } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { sessionQuery } from "@/api/session";
import { addTexts } from "@/app/i18n";
import { useUser } from "@/app/user";
import { NameForm } from "@/features/profile/components/NameForm";
import { PasswordForm } from "@/features/profile/components/PasswordForm";
import { PreferencesForm } from "@/features/profile/components/PreferencesForm";
import { SessionsTable } from "@/features/profile/components/SessionsTable";
import { SignOutEverywhere } from "@/features/profile/components/SignOutEverywhere";
import { PageHeader } from "@/ui/PageHeader";
import { Panel } from "@/ui/Panel";

export const Route = createFileRoute("/_app/me")({
  loader: () => addTexts("people"),
  component: ProfilePage,
});

function ProfilePage() {
  const { t } = useLingui();
  const user = useUser();
  const client = useQueryClient();
  const navigate = Route.useNavigate();
  return (
    <>
      <PageHeader title={t`Your profile`} />
      <Stack gap="lg">
        <Panel split title={t`About you`}>
          <NameForm user={user} />
        </Panel>
        <Panel split title={t`Language, theme, keyboard`}>
          <PreferencesForm />
        </Panel>
        <Panel
          split
          title={t`Password`}
          lead={<Trans>Changing it ends all your other sessions.</Trans>}
        >
          <PasswordForm email={user.email} />
        </Panel>
        <Panel
          flush
          title={t`Sessions`}
          lead={<Trans>Browsers and programs in which you are signed in.</Trans>}
          actions={
            <SignOutEverywhere
              onDone={() => {
                client.clear();
                client.setQueryData(sessionQuery.queryKey, null);
                void navigate({ to: "/login" });
              }}
            />
          }
        >
          <SessionsTable />
        </Panel>
      </Stack>
    </>
  );
}
