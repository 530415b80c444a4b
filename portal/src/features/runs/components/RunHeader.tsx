import { Trans, useLingui } from "@lingui/react/macro";
import { Badge, Button } from "@mantine/core";
import {
  IconArchive,
  IconArchiveOff,
  IconCircleCheck,
  IconCircleX,
  IconClock,
  IconFlask,
  IconGitBranch,
  IconHierarchy2,
  IconServer,
} from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { Run } from "@/api/generated/models/run";
import type { RunStatus } from "@/api/generated/models/runStatus";
import { ConfirmInPlace } from "@/ui/ConfirmInPlace";
import { EditableHeader } from "@/ui/EditableHeader";
import { announceFailure } from "@/ui/notices";
import { StatusBadge } from "@/ui/StatusBadge";
import { TagsEditor } from "@/ui/Tags";
import { TimeText } from "@/ui/TimeText";
import { offerUndo } from "@/ui/undo";
import { Elapsed } from "../elapsed";
import { useArchiveRun, useChangeRun, useRestoreRun } from "../queries";
import { Git } from "./cells";
import classes from "./RunPage.module.css";

type Props = {
  run: Run;
  canEdit: boolean;
  experimentLink: ReactNode;
  /** A link to the run that this one is nested in. */
  parentLink: ReactNode;
};

/** What a run is, how it stands, and what can be done with it. */
export function RunHeader({ run, canEdit, experimentLink, parentLink }: Props) {
  const { t } = useLingui();
  const change = useChangeRun(run);
  const archive = useArchiveRun(run);
  const restore = useRestoreRun(run);
  const icon = { size: 15, "aria-hidden": true } as const;
  const changeable = canEdit && run.archived_at === null;

  const failed = (error: unknown) => announceFailure(t`The run could not be changed`, error);
  const setStatus = (status: RunStatus) =>
    change.mutate({ change: { status } }, { onError: failed });
  const putAway = () =>
    archive.mutate(undefined, {
      onSuccess: () =>
        offerUndo(t`“${run.name}” archived`, () => restore.mutate(undefined, { onError: failed })),
      onError: failed,
    });

  return (
    <>
      <EditableHeader
        title={run.name}
        label={t`Name of the run`}
        canEdit={changeable}
        onRename={(name) => change.mutateAsync({ change: { name } })}
        badge={
          <>
            <StatusBadge status={run.status} />
            {run.archived_at && run.status !== "archived" ? (
              <Badge size="sm" variant="default">
                <Trans>Archived</Trans>
              </Badge>
            ) : null}
          </>
        }
        actions={
          <>
            {changeable && run.status === "running" ? (
              <>
                <Step
                  label={t`Finish`}
                  icon={<IconCircleCheck {...icon} />}
                  question={t`Mark this run as succeeded? Its program is not stopped, but its status stays.`}
                  onConfirm={() => setStatus("succeeded")}
                  busy={change.isPending}
                />
                <Step
                  label={t`Mark as failed`}
                  icon={<IconCircleX {...icon} />}
                  question={t`Mark this run as failed? Its program is not stopped, but its status stays.`}
                  onConfirm={() => setStatus("failed")}
                  busy={change.isPending}
                />
              </>
            ) : null}
            {changeable && run.status !== "running" ? (
              <Button
                size="xs"
                variant="default"
                leftSection={<IconArchive {...icon} />}
                loading={archive.isPending}
                onClick={putAway}
              >
                <Trans context="verb">Archive</Trans>
              </Button>
            ) : null}
            {canEdit && run.archived_at !== null ? (
              <Button
                size="xs"
                leftSection={<IconArchiveOff {...icon} />}
                loading={restore.isPending}
                onClick={() => restore.mutate(undefined, { onError: failed })}
              >
                <Trans>Restore</Trans>
              </Button>
            ) : null}
          </>
        }
      />
      <ul className={classes.facts} aria-label={t`About the run`}>
        <li>
          <IconFlask {...icon} />
          <span className="rb-visually-hidden">{t`Experiment`}</span>
          {experimentLink}
        </li>
        {run.parent_run_id ? (
          <li>
            <IconHierarchy2 {...icon} />
            {parentLink}
          </li>
        ) : null}
        <li>
          <IconClock {...icon} />
          <span className="rb-visually-hidden">{t`Duration`}</span>
          <Elapsed run={run} />
          {run.started_at ? (
            <span>
              <Trans>
                started <TimeText at={run.started_at} />
              </Trans>
            </span>
          ) : null}
        </li>
        {run.host ? (
          <li>
            <IconServer {...icon} />
            <span className="rb-visually-hidden">{t`Host`}</span>
            {run.host}
          </li>
        ) : null}
        {run.git_commit ? (
          <li>
            <IconGitBranch {...icon} />
            <span className="rb-visually-hidden">Git</span>
            <Git run={run} />
          </li>
        ) : null}
        <li>
          <TagsEditor
            tags={run.tags}
            canEdit={changeable}
            onChange={(tags) => change.mutate({ change: { tags } }, { onError: failed })}
          />
        </li>
      </ul>
    </>
  );
}

type StepProps = {
  label: string;
  icon: ReactNode;
  question: string;
  onConfirm: () => void;
  busy: boolean;
};

function Step({ label, icon, question, onConfirm, busy }: StepProps) {
  return (
    <ConfirmInPlace
      question={question}
      action={label}
      busy={busy}
      onConfirm={onConfirm}
      trigger={(open) => (
        <Button size="xs" variant="default" leftSection={icon} loading={busy} onClick={open}>
          {label}
        </Button>
      )}
    />
  );
}
