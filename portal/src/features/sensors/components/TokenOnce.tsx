import { Trans, useLingui } from "@lingui/react/macro";
import { Alert, Stack, Text } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { CodeSnippet } from "@/ui/CodeSnippet";
import { SensorSnippets } from "./SensorSnippets";

/** The token is null where a lost answer was asked for again: the server keeps no secret to repeat. */
type Props = { title: string; token: string | null; signal: string | undefined };

/** A sensor's secret, shown this once, and what to do with it. */
export function TokenOnce({ title, token, signal }: Props) {
  const { t } = useLingui();
  if (token === null) {
    return (
      <Alert role="status" color="yellow" icon={<IconKey size={18} aria-hidden />}>
        <Trans>
          The answer with the token was lost on its way, and it is given once. Make a new token
          under Token.
        </Trans>
      </Alert>
    );
  }
  return (
    <Stack gap="sm">
      <Alert role="status" color="teal" icon={<IconKey size={18} aria-hidden />} title={title}>
        <Trans>It is shown this once; Runbench keeps only a fingerprint of it.</Trans>
      </Alert>
      <CodeSnippet wrap code={token} copyLabel={t`Copy the sensor's token`} />
      <Text size="sm" fw={500}>
        <Trans>Send a first reading</Trans>
      </Text>
      <SensorSnippets token={token} signal={signal} />
    </Stack>
  );
}
