import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Text } from "@mantine/core";
import { createFileRoute, Link, useLocation } from "@tanstack/react-router";
import { PublicCard } from "@/app/PublicLayout";
import { ConfirmResetForm } from "@/features/session/components/ConfirmResetForm";
import { RequestResetForm } from "@/features/session/components/RequestResetForm";

/** `/reset` asks for a link; the mailed link is `/reset#token=…`, a fragment so that no server logs it. */
export const Route = createFileRoute("/_public/reset")({ component: ResetPage });

function ResetPage() {
  const { t } = useLingui();
  const { hash } = useLocation();
  const token = new URLSearchParams(hash).get("token");
  const loginLink = (text: string) => (
    <Anchor inherit underline="always" renderRoot={(props) => <Link to="/login" {...props} />}>
      {text}
    </Anchor>
  );
  return (
    <PublicCard
      title={token ? t`Choose a new password` : t`Reset your password`}
      foot={
        <Text size="sm">
          <Trans>
            Remembered it?{" "}
            <Anchor
              inherit
              underline="always"
              renderRoot={(props) => <Link to="/login" {...props} />}
            >
              Sign in
            </Anchor>
          </Trans>
        </Text>
      }
    >
      {token ? <ConfirmResetForm token={token} loginLink={loginLink} /> : <RequestResetForm />}
    </PublicCard>
  );
}
