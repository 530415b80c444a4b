import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Text } from "@mantine/core";
import { createFileRoute, Link, redirect } from "@tanstack/react-router";
import * as v from "valibot";
import { sessionQuery } from "@/api/session";
import { safeNext, useEnter } from "@/app/enter";
import { PublicCard } from "@/app/PublicLayout";
import { LoginForm } from "@/features/session/components/LoginForm";

export const Route = createFileRoute("/_public/login")({
  validateSearch: v.object({ next: v.optional(v.fallback(v.string(), "/")) }),
  beforeLoad: async ({ context, search }) => {
    const user = await context.queryClient.ensureQueryData(sessionQuery).catch(() => null);
    if (user) throw redirect({ href: safeNext(search.next), replace: true });
  },
  component: LoginPage,
});

function LoginPage() {
  const { t } = useLingui();
  const { next } = Route.useSearch();
  const enter = useEnter(next);
  return (
    <PublicCard
      title={t`Sign in`}
      foot={
        <Text size="sm">
          <Trans>
            New here?{" "}
            <Anchor
              inherit
              underline="always"
              renderRoot={(props) => <Link to="/register" search={{ next }} {...props} />}
            >
              Create an account
            </Anchor>
          </Trans>
        </Text>
      }
    >
      <LoginForm
        onSignedIn={enter}
        resetLink={(text) => (
          <Anchor size="sm" renderRoot={(props) => <Link to="/reset" {...props} />}>
            {text}
          </Anchor>
        )}
      />
    </PublicCard>
  );
}
