import { useLingui } from "@lingui/react/macro";
import { Container } from "@mantine/core";
import { type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { isProblem } from "@/api/problem";
import { NotFoundPage } from "@/app/NotFoundPage";
import { ErrorNotice } from "@/ui/ErrorNotice";

/** A page that could not be loaded; the shell around it stays usable. */
export function RouteErrorPage({ error, reset }: ErrorComponentProps) {
  const { t } = useLingui();
  const router = useRouter();
  if (isProblem(error) && error.status === 404) return <NotFoundPage />;
  return (
    <Container size="sm" py="xl">
      <ErrorNotice
        title={t`This page could not be shown`}
        error={error}
        onRetry={() => {
          reset();
          void router.invalidate();
        }}
      />
    </Container>
  );
}
