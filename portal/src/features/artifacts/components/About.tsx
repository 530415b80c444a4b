import { Trans, useLingui } from "@lingui/react/macro";
import { Alert, Button, Group, Skeleton, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { IconPencil, IconRosetteDiscountCheck } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { ArtifactDetails } from "@/api/generated/models/artifactDetails";
import { ConfirmInPlace } from "@/ui/ConfirmInPlace";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { announce, announceFailure } from "@/ui/notices";
import { useProblemText } from "@/ui/problem-text";
import { TimeText } from "@/ui/TimeText";
import { detailsQuery, namesQuery, useDetailChanges } from "../details";
import classes from "./Artifacts.module.css";

type Props = {
  runId: string;
  projectId: string;
  artifactId: string;
  canEdit: boolean;
  canApprove: boolean;
};

/** What people say of a file: its description, and whether an owner approved just this content. */
export function About({ artifactId, ...rest }: Props) {
  const details = useQuery(detailsQuery(artifactId));
  if (details.error) {
    return <ErrorNotice error={details.error} onRetry={() => void details.refetch()} />;
  }
  if (!details.data) return <Skeleton height="3rem" />;
  return (
    <Stack gap="sm">
      <Description key={details.data.description} details={details.data} {...rest} />
      <Approval details={details.data} {...rest} />
    </Stack>
  );
}

type PartProps = Omit<Props, "artifactId"> & { details: ArtifactDetails };

function Description({ runId, details, canEdit }: PartProps) {
  const { t } = useLingui();
  const problemText = useProblemText();
  const { describe } = useDetailChanges(runId, details.id);
  const [text, setText] = useState<string | null>(null);
  if (text === null) {
    if (!details.description && !canEdit) return null;
    return (
      <Group gap="xs" wrap="nowrap" align="start">
        <Text size="sm" c={details.description ? undefined : "dimmed"} className={classes.said}>
          {details.description || t`No description yet.`}
        </Text>
        {canEdit ? (
          <Button
            size="compact-xs"
            variant="subtle"
            color="gray"
            leftSection={<IconPencil size={14} aria-hidden />}
            onClick={() => setText(details.description)}
          >
            {details.description ? t`Change` : t`Describe it`}
          </Button>
        ) : null}
      </Group>
    );
  }
  const keep = (event: FormEvent) => {
    event.preventDefault();
    describe.mutate(text, { onSuccess: () => setText(null) });
  };
  return (
    <form onSubmit={keep}>
      <Stack gap="xs">
        <Textarea
          label={t`Description`}
          value={text}
          autosize
          minRows={2}
          maxRows={10}
          data-autofocus
          error={describe.error ? problemText(describe.error) : undefined}
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") setText(null);
          }}
        />
        <Group gap="xs">
          <Button size="xs" type="submit" loading={describe.isPending}>
            <Trans>Save</Trans>
          </Button>
          <Button size="xs" variant="default" onClick={() => setText(null)}>
            <Trans>Cancel</Trans>
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Approval({ runId, projectId, details, canApprove }: PartProps) {
  const { t } = useLingui();
  const names = useQuery({ ...namesQuery(projectId), enabled: details.approval !== null });
  const { approve, withdraw } = useDetailChanges(runId, details.id);
  const [note, setNote] = useState<string | null>(null);
  if (details.approval) {
    const { by, at, note: said } = details.approval;
    const name = names.data?.get(by) ?? t`an owner`;
    return (
      <Alert
        variant="light"
        color="teal"
        role="note"
        icon={<IconRosetteDiscountCheck size={18} aria-hidden />}
        title={t`Approved`}
      >
        <Stack gap="xs" align="flex-start">
          <Text size="sm">
            <Trans>
              {name} approved this content, <TimeText at={at} />.
            </Trans>
          </Text>
          {said ? (
            <Text size="sm" className={classes.said}>
              {said}
            </Text>
          ) : null}
          {canApprove ? (
            <ConfirmInPlace
              action={t`Withdraw`}
              question={t`Withdraw the approval?`}
              busy={withdraw.isPending}
              onConfirm={() =>
                withdraw.mutate(undefined, {
                  onSuccess: () => announce(t`The approval is withdrawn.`),
                  onError: (error) => announceFailure(t`The approval was not withdrawn`, error),
                })
              }
              trigger={(open) => (
                <Button size="xs" variant="default" onClick={open}>
                  <Trans>Withdraw the approval</Trans>
                </Button>
              )}
            />
          ) : null}
        </Stack>
      </Alert>
    );
  }
  if (!canApprove) return null;
  if (note === null) {
    return (
      <Group>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconRosetteDiscountCheck size={16} aria-hidden />}
          onClick={() => setNote("")}
        >
          <Trans>Approve this content</Trans>
        </Button>
      </Group>
    );
  }
  const give = (event: FormEvent) => {
    event.preventDefault();
    approve.mutate(
      { sha256: details.sha256, note: note.trim() },
      {
        onSuccess: () => {
          setNote(null);
          announce(t`The file is approved.`);
        },
        onError: (error) => announceFailure(t`The file was not approved`, error),
      },
    );
  };
  return (
    <form onSubmit={give}>
      <Group gap="xs" align="end">
        <TextInput
          size="xs"
          label={t`A note, if you like`}
          description={t`The approval holds for just this content; another one takes it away.`}
          value={note}
          data-autofocus
          maxLength={1000}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        <Button size="xs" type="submit" loading={approve.isPending}>
          <Trans>Approve</Trans>
        </Button>
        <Button size="xs" variant="default" onClick={() => setNote(null)}>
          <Trans>Cancel</Trans>
        </Button>
      </Group>
    </form>
  );
}
