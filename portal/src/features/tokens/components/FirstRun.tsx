import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Stack, Text } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { useState } from "react";
import { address } from "@/api/http";
import { CodeSnippet } from "@/ui/CodeSnippet";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { useCreateToken } from "../queries";

type Props = {
  projectId: string;
  slug: string;
  /** The experiment that the lines record into; a new one when missing. */
  experiment?: string;
  /** Whether this person may make a token that records. */
  records: boolean;
};

/** The lines that record a first run, with this server's address and, at a click, a token. */
export function FirstRun({ projectId, slug, experiment = "First steps", records }: Props) {
  const { t } = useLingui();
  const create = useCreateToken(projectId);
  const [key] = useState(() => crypto.randomUUID());
  const origin = new URL(address("/")).origin;
  const token = create.data?.token ?? "rb_pat_…";
  const shell = [
    "pip install runbench",
    `export RUNBENCH_URL=${origin}`,
    `export RUNBENCH_TOKEN=${token}`,
  ].join("\n");
  const python = [
    "import runbench",
    `with runbench.init(project="${slug}", experiment=${JSON.stringify(experiment)}) as run:`,
    '    for step in range(200): run.log({"loss": 0.97**step}, step=step)',
  ].join("\n");

  return (
    <Stack gap="sm">
      <Text size="sm" fw={500}>
        <Trans>1. In a terminal</Trans>
      </Text>
      <CodeSnippet code={shell} copyLabel={t`Copy the terminal commands`} />
      {create.isError ? <ErrorNotice title={t`No token was made`} error={create.error} /> : null}
      {create.data ? (
        <Text size="xs" c="dimmed" role="status">
          <Trans>
            The token is in the lines above. It is shown this once, is valid for 90 days, and can be
            revoked under API tokens.
          </Trans>
        </Text>
      ) : records ? (
        <Group gap="sm">
          <Button
            size="xs"
            leftSection={<IconKey size={15} aria-hidden />}
            loading={create.isPending}
            onClick={() =>
              create.mutate({
                key,
                token: { name: t`First steps`, role: "editor", expires_in_days: 90 },
              })
            }
          >
            <Trans>Put a new token into these lines</Trans>
          </Button>
          <Text size="xs" c="dimmed">
            <Trans>Windows: set instead of export</Trans>
          </Text>
        </Group>
      ) : (
        <Text size="xs" c="dimmed">
          <Trans>
            You can read this project. To record into it, ask an owner for the editor role.
          </Trans>
        </Text>
      )}
      <Text size="sm" fw={500} mt="xs">
        <Trans>2. In Python</Trans>
      </Text>
      <CodeSnippet code={python} copyLabel={t`Copy the Python code`} />
      <Text size="xs" c="dimmed">
        <Trans>The run appears here while it is still going. This page notices by itself.</Trans>
      </Text>
    </Stack>
  );
}
