import { Trans } from "@lingui/react/macro";
import { Alert, Button, Code, Group, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { isProblem } from "@/api/problem";
import { useProblemText } from "@/ui/problem-text";
import { TraceId } from "@/ui/TraceId";

type Props = {
  error: unknown;
  /** What did not work, from the person's side: "The members could not be loaded". */
  title?: string;
  onRetry?: () => void;
};

/** What happened, what to do, and the trace id to hand to whoever keeps the server. */
export function ErrorNotice({ error, title, onRetry }: Props) {
  const describe = useProblemText();
  const traceId = isProblem(error) ? error.traceId : null;
  const text = describe(error);
  return (
    <Alert
      color="red"
      variant="light"
      role="alert"
      icon={<IconAlertTriangle size={18} aria-hidden />}
      title={title ?? text}
    >
      <Stack gap="xs" align="flex-start">
        {title ? <Text size="sm">{text}</Text> : null}
        {isProblem(error) && error.errors.length > 0 ? (
          <ul className="rb-plain-list">
            {error.errors.map((one) => (
              <li key={`${one.pointer ?? one.parameter}${one.detail}`}>
                <Code>{one.pointer ?? one.parameter}</Code> {one.detail}
              </li>
            ))}
          </ul>
        ) : null}
        {onRetry || traceId ? (
          <Group gap="xs">
            {onRetry ? (
              <Button size="xs" variant="default" onClick={onRetry}>
                <Trans>Try again</Trans>
              </Button>
            ) : null}
            {traceId ? <TraceId id={traceId} /> : null}
          </Group>
        ) : null}
      </Stack>
    </Alert>
  );
}
