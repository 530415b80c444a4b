import { useMemo, useRef, useState } from "react";
import type { Run } from "@/api/generated/models/run";
import { type DrawnRun, drawnAtFirst, drawnRun, looksOf } from "../drawn";

type Options = {
  /** As the table shows them. */
  runs: readonly Run[];
  selected: ReadonlySet<string>;
  hidden: ReadonlySet<string>;
  picked: Readonly<Record<string, number>>;
};

/** The runs that charts draw: the selected ones, or the first of the table that are not hidden. */
export function useDrawn({ runs, selected, hidden, picked }: Options) {
  const [limit, setLimit] = useState(drawnAtFirst);
  const looks = useRef<ReadonlyMap<string, number>>(new Map());
  const [chosen, drawable] = useMemo(() => {
    const candidates = selected.size > 0 ? runs.filter(({ id }) => selected.has(id)) : runs;
    const shown: Run[] = [];
    let room = limit;
    for (const run of candidates) {
      if (room === 0) break;
      shown.push(run);
      if (!hidden.has(run.id)) room -= 1;
    }
    return [shown, candidates.filter(({ id }) => !hidden.has(id)).length] as const;
  }, [runs, selected, hidden, limit]);

  const given = useMemo(() => {
    const ids = chosen.map(({ id }) => id);
    // What has a look keeps it, also while it is not drawn for a moment.
    looks.current = new Map([...looks.current, ...looksOf(ids, picked, looks.current)]);
    return new Map(ids.map((id) => [id, looks.current.get(id) ?? 0]));
  }, [chosen, picked]);

  const drawn = useSteady(
    chosen.map((run) => drawnRun(run, given.get(run.id) ?? 0, hidden.has(run.id))),
  );
  return { drawn, drawable, limit, setLimit, looks: given };
}

/** The same list as before while nothing in it has changed: live runs tick, charts need not notice. */
function useSteady(list: readonly DrawnRun[]): readonly DrawnRun[] {
  const text = JSON.stringify(list);
  return useMemo(() => JSON.parse(text) as DrawnRun[], [text]);
}
