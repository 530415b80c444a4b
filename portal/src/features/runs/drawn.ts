/** Which runs the charts draw, and how each of them looks. */

import type { Run } from "@/api/generated/models/run";
import type { RunStatus } from "@/api/generated/models/runStatus";
import { colorCount, lookCount } from "@/ui/palette";

/** A run as charts meet it. */
export type DrawnRun = {
  id: string;
  name: string;
  /** Colour and dash: the index for `seriesStyle` of ui/palette. */
  look: number;
  /** Taken out of the charts by hand; legends may still list it. */
  hidden: boolean;
  status: RunStatus;
  /** When its relative time begins, RFC 3339; null before the run has started. */
  startedAt: string | null;
  /** What it is drawn together with; null while runs are not grouped. */
  group: string | null;
};

/** What the page hands to the charts beside the table. */
export type RunsCharts = {
  /** The selected runs, or the first of the table; at most as many as may be drawn. */
  runs: readonly DrawnRun[];
  /** What the charts keep in the address and in saved views, as they left it. */
  state: Readonly<Record<string, unknown>>;
  /** Changes a part of the state; `undefined` takes a part out. */
  onState: (change: Record<string, unknown>) => void;
  /** Takes a run out of the charts or brings it back. */
  onHide: (runId: string, hidden: boolean) => void;
};

/** How many runs are drawn while nobody asks for more, and at the very most. */
export const drawnAtFirst = 20;
export const drawnAtMost = 100;

/**
 * A look for each run, the same for the same run whatever stands around it: its own by its id, or the next
 * that is free. Looks that were picked, or given before, stay; only beyond the palette's size they repeat.
 */
export function looksOf(
  ids: readonly string[],
  picked: Readonly<Record<string, number>>,
  before: ReadonlyMap<string, number> = new Map(),
): ReadonlyMap<string, number> {
  const looks = new Map<string, number>();
  const taken = new Set<number>();
  const give = (id: string, look: number) => {
    looks.set(id, look);
    taken.add(look);
  };
  for (const id of ids) {
    const look = picked[id];
    if (look !== undefined) give(id, look);
  }
  for (const id of ids) {
    const look = before.get(id);
    if (look !== undefined && !looks.has(id) && !taken.has(look)) give(id, look);
  }
  // The order of ids is that of creation, so that sorting the table changes no look.
  for (const id of ids.filter((one) => !looks.has(one)).sort()) {
    const own = ownLook(id);
    let look = own;
    for (let step = 1; taken.has(look) && step < lookCount; step += 1) {
      // First all solid lines, then all of the next dash.
      look = step - (step % colorCount) + ((own + step) % colorCount);
    }
    give(id, look);
  }
  return looks;
}

/** The look that an id asks for: FNV-1a of its characters, as a solid line. */
export function ownLook(id: string): number {
  let hash = 0x811c9dc5;
  for (let place = 0; place < id.length; place += 1) {
    hash = Math.imul(hash ^ id.charCodeAt(place), 0x01000193);
  }
  return (hash >>> 0) % colorCount;
}

export function drawnRun(
  run: Run,
  look: number,
  hidden: boolean,
  group: string | null = null,
): DrawnRun {
  return {
    id: run.id,
    name: run.name,
    look,
    hidden,
    status: run.status,
    startedAt: run.started_at,
    group,
  };
}
