import { Trans, useLingui } from "@lingui/react/macro";
import { Alert, Button, Group, Skeleton, Text } from "@mantine/core";
import { IconMailOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { announce, announceFailure, announceWarning } from "@/ui/notices";
import { mailStateQuery, useNotificationChanges } from "../notification-queries";
import { mailFailureNames, mailLanguage, notificationStateNames } from "../words";

/** Where mails go, and whether they can. */
export function MailPanel({ projectId }: { projectId: string }) {
  const { t, i18n } = useLingui();
  const state = useQuery(mailStateQuery(projectId));
  const { test } = useNotificationChanges(projectId);

  const send = () =>
    test.mutate(mailLanguage(i18n.locale), {
      onSuccess: ({ state: came, failure }) => {
        if (came === "sent") {
          announce(t`The test mail is on its way`);
          return;
        }
        const known = failure ? mailFailureNames[failure] : undefined;
        announceWarning(
          t`The test mail was not sent`,
          known ? t(known) : t(notificationStateNames[came]),
        );
      },
      onError: (error) => announceFailure(t`The test mail was not sent`, error),
    });

  if (state.isError) {
    return (
      <ErrorNotice
        title={t`It is not known whether mail reaches you`}
        error={state.error}
        onRetry={() => void state.refetch()}
      />
    );
  }
  if (!state.data) return <Skeleton height={36} />;
  if (!state.data.is_set_up) {
    return (
      <Alert color="yellow" icon={<IconMailOff size={18} />} title={t`Mail is not set up here`}>
        <Trans>
          Nothing is sent until whoever runs this Runbench names a mail server. What you choose
          below is kept.
        </Trans>
      </Alert>
    );
  }
  const { address } = state.data;
  return (
    <Group justify="space-between">
      <Text size="sm">
        <Trans>
          Mails go to the address of your account, <span className="rb-mono">{address}</span>.
        </Trans>
      </Text>
      <Button size="xs" variant="default" loading={test.isPending} onClick={send}>
        <Trans>Send me a test mail</Trans>
      </Button>
    </Group>
  );
}
