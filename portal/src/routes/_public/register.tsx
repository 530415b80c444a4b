import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Text } from "@mantine/core";
import { createFileRoute, Link } from "@tanstack/react-router";
import * as v from "valibot";
import { useEnter } from "@/app/enter";
import { PublicCard } from "@/app/PublicLayout";
import { RegisterForm } from "@/features/session/components/RegisterForm";

export const Route = createFileRoute("/_public/register")({
  validateSearch: v.object({ next: v.optional(v.fallback(v.string(), "/")) }),
  component: RegisterPage,
});

function RegisterPage() {
  const { t } = useLingui();
  const { next } = Route.useSearch();
  const enter = useEnter(next);
  return (
    <PublicCard
      title={t`Create an account`}
      foot={
        <Text size="sm">
          <Trans>
            Already have one?{" "}
            <Anchor
              inherit
              underline="always"
              renderRoot={(props) => <Link to="/login" search={{ next }} {...props} />}
            >
              Sign in
            </Anchor>
          </Trans>
        </Text>
      }
    >
      <RegisterForm onSignedIn={enter} />
    </PublicCard>
  );
}
