import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { type FeedState, openFeed } from "@/api/events";
import type { Run } from "@/api/generated/models/run";
import { takeRuns } from "./queries";

const drawEveryMs = 250;

type Options = {
  projectId: string;
  /** Ids that the table already shows. */
  known: ReadonlySet<string>;
  /** Whether a run that is not shown yet would belong into the table. */
  belongs: (run: Run) => boolean;
};

export type LiveRuns = {
  state: FeedState;
  /** How many runs have appeared that the table does not show yet. */
  waiting: number;
};

/**
 * Keeps a project's run lists current from one stream: known runs change where they stand, new ones are
 * counted until somebody asks for them.
 */
export function useLiveRuns({ projectId, known, belongs }: Options): LiveRuns {
  const client = useQueryClient();
  const [state, setState] = useState<FeedState>("connecting");
  const [fresh, setFresh] = useState<ReadonlySet<string>>(new Set());
  const latest = useRef(belongs);
  useEffect(() => {
    latest.current = belongs;
  });

  useEffect(() => {
    const arrived = new Map<string, Run>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      timer = undefined;
      const batch = new Map(arrived);
      arrived.clear();
      takeRuns(client, batch);
      const added = [...batch.values()].filter((run) => latest.current(run)).map(({ id }) => id);
      if (added.length > 0) setFresh((before) => new Set([...before, ...added]));
    };
    const close = openFeed({
      path: `/api/v1/projects/${projectId}/runs/stream`,
      on: {
        run: (data) => {
          const run = JSON.parse(data) as Run;
          arrived.set(run.id, run);
          timer ??= setTimeout(flush, drawEveryMs);
        },
      },
      onState: setState,
    });
    return () => {
      clearTimeout(timer);
      close();
    };
  }, [client, projectId]);

  const waiting = [...fresh].filter((id) => !known.has(id)).length;
  return { state, waiting };
}
