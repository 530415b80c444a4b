import { Trans, useLingui } from "@lingui/react/macro";
import { Code, Group, Text } from "@mantine/core";
import { CopyButton } from "@/ui/CopyButton";

/** The trace of a request that failed, to hand to whoever keeps the server. */
export function TraceId({ id }: { id: string }) {
  const { t } = useLingui();
  return (
    <Group gap={4}>
      <Text size="xs" c="dimmed">
        <Trans>Trace id</Trans>
      </Text>
      <Group gap={4} wrap="nowrap">
        <Code style={{ overflowWrap: "anywhere" }}>{id}</Code>
        <CopyButton text={id} label={t`Copy the trace id`} />
      </Group>
    </Group>
  );
}
