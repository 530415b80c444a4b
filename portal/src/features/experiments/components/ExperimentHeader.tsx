import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Badge, Button } from "@mantine/core";
import { IconArchive, IconArchiveOff } from "@tabler/icons-react";
import type { Experiment } from "@/api/generated/models/experiment";
import { EditableHeader } from "@/ui/EditableHeader";
import { announceFailure } from "@/ui/notices";
import { StatusBadge } from "@/ui/StatusBadge";
import { TagsEditor } from "@/ui/Tags";
import { TimeText } from "@/ui/TimeText";
import { useChangeExperiment } from "../queries";
import { useArchiving } from "./archiving";
import classes from "./Experiments.module.css";

type Props = { experiment: Experiment; canEdit: boolean };

/** What an experiment is called, how it stands, and what can be done with it. */
export function ExperimentHeader({ experiment, canEdit }: Props) {
  const { t } = useLingui();
  const change = useChangeExperiment(experiment);
  const { archive, restore, busy } = useArchiving(experiment.project_id);
  const away = experiment.archived_at !== null;
  return (
    <>
      <EditableHeader
        title={experiment.name}
        label={t`Name of the experiment`}
        canEdit={canEdit && !away}
        onRename={(name) => change.mutateAsync({ change: { name } })}
        badge={
          <>
            <StatusBadge status={experiment.status} />
            {experiment.type ? (
              <Badge size="sm" variant="default">
                {experiment.type}
              </Badge>
            ) : null}
          </>
        }
        actions={
          canEdit ? (
            <Button
              size="xs"
              variant={away ? "filled" : "default"}
              loading={busy}
              leftSection={
                away ? (
                  <IconArchiveOff size={15} aria-hidden />
                ) : (
                  <IconArchive size={15} aria-hidden />
                )
              }
              onClick={() => (away ? restore(experiment.id) : archive(experiment))}
            >
              {away ? <Trans>Restore</Trans> : <Trans context="verb">Archive</Trans>}
            </Button>
          ) : null
        }
      />
      <div className={classes.facts}>
        <span>
          <Plural value={experiment.run_count} one="# run" other="# runs" />
          {experiment.running_count > 0 ? (
            <span className={classes.running}>
              {" · "}
              <Plural value={experiment.running_count} one="# running" other="# running" />
            </span>
          ) : null}
        </span>
        {experiment.last_run_at ? (
          <span>
            <Trans>
              last run <TimeText at={experiment.last_run_at} />
            </Trans>
          </span>
        ) : null}
        <TagsEditor
          tags={experiment.tags}
          canEdit={canEdit && !away}
          onChange={(tags) =>
            change.mutate(
              { change: { tags } },
              { onError: (error) => announceFailure(t`The tags could not be changed`, error) },
            )
          }
        />
      </div>
    </>
  );
}
