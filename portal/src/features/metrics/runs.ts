/** The runs whose series are drawn, as the page gives them. */

export type ChartRun = {
  id: string;
  name: string;
  /** Colour and dash: the index for `seriesStyle` of ui/palette. */
  look: number;
  /** Taken out of the charts by hand; legends still list it. */
  hidden: boolean;
  status: string;
  /** What it is drawn together with; null while runs are not grouped. */
  group: string | null;
};

/** States in which something may still be logged. */
const open: ReadonlySet<string> = new Set(["draft", "running", "interrupted"]);

export function mayGrow({ status }: { status: string }): boolean {
  return open.has(status);
}

/** How many points of each run the server is asked for: fewer where many lines share the pixels. */
export function pictureSize(runs: number, large: boolean): number {
  const size = runs <= 3 ? 2000 : runs <= 10 ? 1000 : runs <= 30 ? 600 : 300;
  return large ? Math.min(2000, size * 2) : size;
}

export type RunGroup = { id: string; label: string; look: number; runs: ChartRun[] };

/** The drawn runs by what they are drawn together with; `null` while nothing groups them. */
export function groupsOf(
  all: readonly ChartRun[],
  drawn: readonly ChartRun[] = all,
): RunGroup[] | null {
  if (!all.some(({ group }) => group !== null)) return null;
  const names = [...new Set(all.map(({ group }) => group ?? ""))];
  return names.flatMap((id) => {
    const runs = drawn.filter(({ group }) => (group ?? "") === id);
    // Members of a group look alike.
    return runs[0] ? [{ id, label: id || "–", look: runs[0].look, runs }] : [];
  });
}
