import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Popover, Stack, Text, TextInput } from "@mantine/core";
import {
  IconArchive,
  IconArchiveOff,
  IconCircleCheck,
  IconCircleX,
  IconEye,
  IconEyeOff,
  IconPin,
  IconScale,
  IconTag,
} from "@tabler/icons-react";
import { type FormEvent, type ReactNode, useState } from "react";
import type { Run } from "@/api/generated/models/run";
import type { RunStatus } from "@/api/generated/models/runStatus";
import { ConfirmInPlace } from "@/ui/ConfirmInPlace";
import { announce, announceFailure, announceWarning } from "@/ui/notices";
import { tagFrom } from "@/ui/Tags";
import { offerUndo } from "@/ui/undo";
import { useBulkStatus, useBulkTag, useRestoreRuns } from "../queries";
import classes from "./RunsTable.module.css";

type Props = {
  projectId: string;
  selected: ReadonlySet<string>;
  /** The runs that are loaded, for their names. */
  runs: readonly Run[];
  onClear: () => void;
  archived: boolean;
  canEdit: boolean;
  /** Missing where there are no charts. */
  onHide?: (hide: boolean) => void;
  onPin: () => void;
  /** Missing where runs are not compared. */
  onCompare?: (ids: string[]) => void;
};

/** How many runs stand side by side at most, as the server has it. */
const comparedAtMost = 100;

/** What can be done with the selected runs together. */
export function SelectionBar(props: Props) {
  const { projectId, selected, runs, onClear, archived, canEdit, onHide, onCompare } = props;
  const { t } = useLingui();
  const ids = [...selected];
  const count = ids.length;
  const status = useBulkStatus(projectId);
  const restore = useRestoreRuns(projectId);
  const running = runs.filter((run) => selected.has(run.id) && run.status === "running").length;

  function change(to: RunStatus, done: (updated: string[]) => void): void {
    status.mutate(
      { ids, status: to },
      {
        onSuccess: ({ updated, failed }) => {
          if (updated.length > 0) done(updated);
          if (failed.length > 0) tellRefused(failed);
          onClear();
        },
        onError: (error) => announceFailure(t`The runs could not be changed`, error),
      },
    );
  }

  function tellRefused(failed: { run_id: string; detail: string }[]): void {
    const names = failed.slice(0, 5).map(({ run_id, detail }): ReactNode => {
      const name = runs.find(({ id }) => id === run_id)?.name ?? run_id;
      return (
        <span key={run_id} style={{ display: "block" }}>
          {name}: {detail}
        </span>
      );
    });
    announceWarning(
      <Plural
        value={failed.length}
        one="# run stayed as it was"
        other="# runs stayed as they were"
      />,
      names,
    );
  }

  const archive = () =>
    change("archived", (updated) =>
      offerUndo(
        <Plural value={updated.length} one="# run archived" other="# runs archived" />,
        () => restore.mutate(updated),
      ),
    );

  return (
    <div className={classes.bar} role="toolbar" aria-label={t`Selected runs`}>
      <Text size="sm" fw={600} role="status">
        <Plural value={count} one="# run selected" other="# runs selected" />
      </Text>
      {onHide ? (
        <>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconEyeOff size={15} aria-hidden />}
            onClick={() => onHide(true)}
          >
            <Trans>Hide from charts</Trans>
          </Button>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconEye size={15} aria-hidden />}
            onClick={() => onHide(false)}
          >
            <Trans>Show in charts</Trans>
          </Button>
        </>
      ) : null}
      <Button
        size="xs"
        variant="default"
        leftSection={<IconPin size={15} aria-hidden />}
        onClick={props.onPin}
      >
        <Trans>Keep on top</Trans>
      </Button>
      {onCompare && count >= 2 && count <= comparedAtMost ? (
        <Button
          size="xs"
          variant="default"
          leftSection={<IconScale size={15} aria-hidden />}
          onClick={() => onCompare(ids)}
        >
          <Trans>Compare</Trans>
        </Button>
      ) : null}
      {!canEdit ? null : archived ? (
        <Button
          size="xs"
          variant="default"
          leftSection={<IconArchiveOff size={15} aria-hidden />}
          loading={restore.isPending}
          onClick={() => restore.mutate(ids, { onSuccess: onClear })}
        >
          <Trans>Restore</Trans>
        </Button>
      ) : (
        <>
          <BulkTags projectId={projectId} ids={ids} />
          {running > 0 ? (
            <>
              <ConfirmInPlace
                question={
                  <Plural
                    value={running}
                    one="Mark # running run as succeeded? Its program is not stopped."
                    other="Mark # running runs as succeeded? Their programs are not stopped."
                  />
                }
                action={t`Finish`}
                onConfirm={() => change("succeeded", () => announce(t`Runs finished`))}
                trigger={(open) => (
                  <Button
                    size="xs"
                    variant="default"
                    leftSection={<IconCircleCheck size={15} aria-hidden />}
                    onClick={open}
                  >
                    <Trans>Finish</Trans>
                  </Button>
                )}
              />
              <ConfirmInPlace
                question={
                  <Plural
                    value={running}
                    one="Mark # running run as failed? Its program is not stopped."
                    other="Mark # running runs as failed? Their programs are not stopped."
                  />
                }
                action={t`Mark as failed`}
                onConfirm={() => change("failed", () => announce(t`Runs marked as failed`))}
                trigger={(open) => (
                  <Button
                    size="xs"
                    variant="default"
                    leftSection={<IconCircleX size={15} aria-hidden />}
                    onClick={open}
                  >
                    <Trans>Mark as failed</Trans>
                  </Button>
                )}
              />
            </>
          ) : null}
          <Button
            size="xs"
            variant="default"
            leftSection={<IconArchive size={15} aria-hidden />}
            loading={status.isPending}
            onClick={archive}
          >
            <Trans context="verb">Archive</Trans>
          </Button>
        </>
      )}
      <span className={classes.spacer} />
      <Button size="xs" variant="subtle" onClick={onClear}>
        <Trans>Clear the selection</Trans>
      </Button>
    </div>
  );
}

function BulkTags({ projectId, ids }: { projectId: string; ids: string[] }) {
  const { t } = useLingui();
  const [open, setOpen] = useState(false);
  const [text, setText] = useState("");
  const tag = useBulkTag(projectId);
  const parsed = tagFrom(text);

  function apply(change: { set?: Record<string, string>; remove?: string[] }): void {
    tag.mutate(
      { ids, ...change },
      {
        onSuccess: ({ updated }) => {
          announce(<Plural value={updated} one="# run changed" other="# runs changed" />);
          setOpen(false);
          setText("");
        },
        onError: (error) => announceFailure(t`The tags could not be changed`, error),
      },
    );
  }

  function submit(event: FormEvent): void {
    event.preventDefault();
    if (parsed) apply({ set: { [parsed.key]: parsed.value } });
  }

  return (
    <Popover opened={open} onChange={setOpen} trapFocus withinPortal position="top-start">
      <Popover.Target>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconTag size={15} aria-hidden />}
          onClick={() => setOpen(!open)}
        >
          <Trans>Tag…</Trans>
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <form onSubmit={submit}>
          <Stack gap="xs" w="16rem">
            <TextInput
              size="xs"
              label={t`Tag`}
              description={t`As key=value; a key alone is enough to remove it.`}
              placeholder="bench=A"
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
            />
            <Group gap="xs">
              <Button type="submit" size="xs" disabled={!parsed} loading={tag.isPending}>
                <Trans>Set on all</Trans>
              </Button>
              <Button
                size="xs"
                variant="default"
                disabled={!parsed}
                onClick={() => parsed && apply({ remove: [parsed.key] })}
              >
                <Trans>Remove from all</Trans>
              </Button>
            </Group>
          </Stack>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
