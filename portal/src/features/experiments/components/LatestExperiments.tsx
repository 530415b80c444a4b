import { Plural, Trans } from "@lingui/react/macro";
import type { ReactNode } from "react";
import type { Experiment } from "@/api/generated/models/experiment";
import { StatusBadge } from "@/ui/StatusBadge";
import { TimeText } from "@/ui/TimeText";
import classes from "./LatestExperiments.module.css";

type Props = {
  experiments: Experiment[];
  /** The experiment's name as a link to its page. */
  link: (experiment: Experiment, className: string | undefined) => ReactNode;
};

/** The experiments in which something happened last. */
export function LatestExperiments({ experiments, link }: Props) {
  return (
    <ul className={classes.list}>
      {experiments.map((experiment) => (
        <li key={experiment.id} className={classes.row}>
          {link(experiment, classes.name)}
          <StatusBadge status={experiment.status} />
          <span>
            <Plural value={experiment.run_count} one="# run" other="# runs" />
          </span>
          <span className={classes.last}>
            {experiment.last_run_at ? (
              <TimeText at={experiment.last_run_at} />
            ) : (
              <Trans>no run yet</Trans>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}
