import { Trans, useLingui } from "@lingui/react/macro";
import { Button } from "@mantine/core";
import { IconCompass } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import { EmptyState } from "@/ui/EmptyState";

export function NotFoundPage() {
  const { t } = useLingui();
  useEffect(() => {
    document.title = `${t`Not found`} · Runbench`;
  }, [t]);
  return (
    <EmptyState
      icon={<IconCompass size={24} />}
      title={t`There is nothing here`}
      titleOrder={1}
      actions={
        <>
          <Button renderRoot={(props) => <Link to="/" {...props} />}>
            <Trans>Go home</Trans>
          </Button>
          <Button variant="default" renderRoot={(props) => <Link to="/p" {...props} />}>
            <Trans>Your projects</Trans>
          </Button>
        </>
      }
    >
      <Trans>
        The address is wrong, the thing was removed, or you are not a member of its project. Ask
        whoever sent you the link to add you.
      </Trans>
    </EmptyState>
  );
}
