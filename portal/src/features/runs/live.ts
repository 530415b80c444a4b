import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { type FeedState, openFeed } from "@/api/events";
import type { Run } from "@/api/generated/models/run";
import { takeRuns } from "./queries";

const drawEveryMs = 250;
const none: ReadonlySet<string> = new Set();

type Options = {
  projectId: string;
  /** Ids that the table already shows. */
  known: ReadonlySet<string>;
  /** Whether a run that is not shown yet would belong into the table. */
  belongs: (run: Run) => boolean;
  /** Called when runs have changed, at most a few times a second. */
  onChanged?: () => void;
};

export type LiveRuns = {
  state: FeedState;
  /** How many runs have appeared that the table does not show yet. */
  waiting: number;
  /** The table was asked again, so nothing waits any more. */
  seen: () => void;
};

/**
 * Keeps a project's run lists current from one stream: known runs change where they stand, new ones are
 * counted until somebody asks for them.
 */
export function useLiveRuns({ projectId, known, belongs, onChanged }: Options): LiveRuns {
  const client = useQueryClient();
  const [state, setState] = useState<FeedState>("connecting");
  const [fresh, setFresh] = useState<ReadonlySet<string>>(none);
  const latest = useRef({ belongs, onChanged });
  useEffect(() => {
    latest.current = { belongs, onChanged };
  });

  useEffect(() => {
    const arrived = new Map<string, Run>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      timer = undefined;
      const batch = new Map(arrived);
      arrived.clear();
      takeRuns(client, batch);
      latest.current.onChanged?.();
      const added = [...batch.values()].filter((run) => latest.current.belongs(run));
      if (added.length > 0)
        setFresh((before) => new Set([...before, ...added.map(({ id }) => id)]));
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
  const seen = useCallback(() => setFresh(none), []);
  return { state, waiting, seen };
}
