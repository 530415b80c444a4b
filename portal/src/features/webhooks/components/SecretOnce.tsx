import { Trans, useLingui } from "@lingui/react/macro";
import { Alert, Button, Stack } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { CodeSnippet } from "@/ui/CodeSnippet";

type Props = { name: string; secret: string | null; onKept: () => void };

/** A secret that is shown this once. */
export function SecretOnce({ name, secret, onKept }: Props) {
  const { t } = useLingui();
  return (
    <Stack gap="sm">
      <Alert
        role="status"
        color="teal"
        icon={<IconKey size={18} aria-hidden />}
        title={t`The secret of “${name}” is ready. Copy it now.`}
      >
        <Trans>
          It is shown this once. The receiver checks by it that a call is from Runbench; the
          documentation has the lines for that.
        </Trans>
      </Alert>
      <CodeSnippet wrap code={secret ?? ""} copyLabel={t`Copy the secret`} />
      <Button variant="default" w="fit-content" onClick={onKept}>
        <Trans>Done, I have kept it</Trans>
      </Button>
    </Stack>
  );
}
