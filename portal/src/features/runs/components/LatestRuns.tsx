import type { ReactNode } from "react";
import type { Run } from "@/api/generated/models/run";
import { StatusBadge } from "@/ui/StatusBadge";
import { TimeText } from "@/ui/TimeText";
import { Elapsed } from "../elapsed";
import classes from "./LatestRuns.module.css";

type Props = {
  runs: Run[];
  /** The run's name as a link to its page. */
  link: (run: Run, children: ReactNode, className?: string) => ReactNode;
};

/** What happened last, in short; the runs page has the whole table. */
export function LatestRuns({ runs, link }: Props) {
  return (
    <ul className={classes.list}>
      {runs.map((run) => (
        <li key={run.id} className={classes.row}>
          {link(run, run.name, classes.name)}
          <StatusBadge status={run.status} />
          <span className={classes.experiment}>{run.experiment_name}</span>
          <span className={classes.time}>
            <Elapsed run={run} />
          </span>
          <span className={classes.time}>
            <TimeText at={run.created_at} />
          </span>
        </li>
      ))}
    </ul>
  );
}
