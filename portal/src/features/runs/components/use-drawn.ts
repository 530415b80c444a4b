import { useMemo, useRef } from "react";
import type { Run } from "@/api/generated/models/run";
import { type DrawnRun, drawnRun, looksOf } from "../drawn";

type Options = {
  /** Runs that may be drawn, in the order of the table; the last word has what is known of them. */
  candidates: readonly string[];
  known: ReadonlyMap<string, Run>;
  /** The group of each run, while they are grouped. */
  groups: ReadonlyMap<string, string> | null;
  hidden: ReadonlySet<string>;
  picked: Readonly<Record<string, number>>;
  limit: number;
};

/** The first of the candidates that are not hidden, each with its look; hidden ones on the way too. */
export function chosenOf(
  candidates: readonly string[],
  hidden: ReadonlySet<string>,
  limit: number,
): string[] {
  const chosen: string[] = [];
  let room = limit;
  for (const id of candidates) {
    if (room === 0) break;
    chosen.push(id);
    if (!hidden.has(id)) room -= 1;
  }
  return chosen;
}

/** The runs that charts draw, with looks that stay while runs come and go. */
export function useDrawn({ candidates, known, groups, hidden, picked, limit }: Options) {
  const given = useRef<ReadonlyMap<string, number>>(new Map());
  const chosen = useMemo(() => chosenOf(candidates, hidden, limit), [candidates, hidden, limit]);
  const looks = useMemo(() => {
    // The members of a group look alike, so that it is the groups that are told apart.
    const subject = (id: string) => groups?.get(id) ?? id;
    const subjects = [...new Set(chosen.map(subject))];
    given.current = new Map([...given.current, ...looksOf(subjects, picked, given.current)]);
    return new Map(chosen.map((id) => [id, picked[id] ?? given.current.get(subject(id)) ?? 0]));
  }, [chosen, groups, picked]);

  const drawn = useSteady(
    chosen.flatMap((id) => {
      const run = known.get(id);
      return run
        ? [drawnRun(run, looks.get(id) ?? 0, hidden.has(id), groups?.get(id) ?? null)]
        : [];
    }),
  );
  return { drawn, looks };
}

/** The same list as before while nothing in it has changed: live runs tick, charts need not notice. */
function useSteady(list: readonly DrawnRun[]): readonly DrawnRun[] {
  const text = JSON.stringify(list);
  return useMemo(() => JSON.parse(text) as DrawnRun[], [text]);
}
