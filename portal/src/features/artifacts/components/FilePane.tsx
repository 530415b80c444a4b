import { useLingui } from "@lingui/react/macro";
import { Button, Group, Title } from "@mantine/core";
import { IconDownload, IconTrash } from "@tabler/icons-react";
import type { Entry } from "@/api/generated/models/entry";
import { address } from "@/api/http";
import { ConfirmInPlace } from "@/ui/ConfirmInPlace";
import { CopyButton } from "@/ui/CopyButton";
import { Facts } from "@/ui/Facts";
import { useFormats } from "@/ui/format";
import { announce, announceFailure } from "@/ui/notices";
import { TimeText } from "@/ui/TimeText";
import { fileAddress, nameOf } from "../paths";
import { useRemoveFile } from "../queries";
import { useSizeText } from "../size-text";
import { About } from "./About";
import classes from "./Artifacts.module.css";
import { FolderDownload } from "./FolderDownload";
import { Preview } from "./Preview";
import { type RunLink, Uses } from "./Provenance";

type Props = {
  runId: string;
  projectId: string;
  entry: Entry;
  canEdit: boolean;
  canApprove: boolean;
  runLink: RunLink;
  /** Called when the file has been deleted. */
  onGone: () => void;
};

/** What is known of a file, what can be done with it, and what is in it. */
export function FilePane(props: Props) {
  const { runId, projectId, entry, canEdit, canApprove, runLink, onGone } = props;
  const { t } = useLingui();
  const size = useSizeText();
  const formats = useFormats();
  const name = nameOf(entry.path);
  const remove = useRemoveFile(runId);

  function removeNow(): void {
    remove.mutate(entry.path, {
      onSuccess: () => {
        announce(t`${name} is deleted.`);
        onGone();
      },
      onError: (error) => announceFailure(t`${name} could not be deleted`, error),
    });
  }

  const path: [string, React.ReactNode] = [
    t`Path`,
    <Group key="path" gap={4} wrap="nowrap">
      <span className={classes.title}>{entry.path}</span>
      <CopyButton text={entry.path} label={t`Copy the path`} />
    </Group>,
  ];
  if (entry.kind === "folder") {
    return (
      <>
        <Title order={3} className={classes.title}>
          {name}
        </Title>
        <Facts facts={[path]} />
        <Group>
          <FolderDownload runId={runId} folder={entry.path} />
        </Group>
      </>
    );
  }
  const digest = entry.sha256 ?? "";
  return (
    <>
      <Title order={3} className={classes.title}>
        {name}
      </Title>
      <Group gap="xs">
        <Button
          component="a"
          size="xs"
          href={address(fileAddress(runId, entry.path))}
          download={name}
          leftSection={<IconDownload size={16} aria-hidden />}
        >
          {t`Download`}
        </Button>
        {canEdit ? (
          <ConfirmInPlace
            trigger={(open) => (
              <Button
                size="xs"
                variant="default"
                leftSection={<IconTrash size={16} aria-hidden />}
                onClick={open}
              >
                {t`Delete`}
              </Button>
            )}
            question={t`Delete ${name}? This cannot be undone.`}
            action={t`Delete`}
            busy={remove.isPending}
            onConfirm={removeNow}
          />
        ) : null}
      </Group>
      <Facts
        facts={[
          path,
          [
            t`Size`,
            <span key="size" title={t`${formats.number(entry.size ?? 0)} bytes`}>
              {size(entry.size ?? 0)}
            </span>,
          ],
          [t`Type`, entry.media_type],
          [t`Stored`, <TimeText key="time" at={entry.created_at} as="dateTime" />],
          [
            "SHA-256",
            <Group key="digest" gap={4} wrap="nowrap">
              <span className={classes.digest} title={digest}>
                {digest.slice(0, 16)}…
              </span>
              <CopyButton text={digest} label={t`Copy the SHA-256`} />
            </Group>,
          ],
        ]}
      />
      {entry.id ? (
        <About
          runId={runId}
          projectId={projectId}
          artifactId={entry.id}
          canEdit={canEdit}
          canApprove={canApprove}
        />
      ) : null}
      {entry.id ? (
        <Uses artifactId={entry.id} sha256={digest} projectId={projectId} runLink={runLink} />
      ) : null}
      <div className={classes.preview}>
        <Preview runId={runId} file={entry} />
      </div>
    </>
  );
}
