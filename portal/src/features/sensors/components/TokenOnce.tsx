import { Trans, useLingui } from "@lingui/react/macro";
import { Alert, Stack, Text } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { CodeSnippet } from "@/ui/CodeSnippet";
import { SensorSnippets } from "./SensorSnippets";

type Props = { title: string; token: string; signal: string | undefined };

/** A sensor's secret, shown this once, and what to do with it. */
export function TokenOnce({ title, token, signal }: Props) {
  const { t } = useLingui();
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
