/** A metric's points as the charts hold them: columns of equal length, ascending by step. */

export type WireValue = number | "NaN" | "Infinity" | "-Infinity";

export type Points = {
  step: number[];
  /** Finite, or NaN / ±Infinity as they were logged. */
  value: number[];
  /** Microseconds since 1970, UTC. */
  time: number[];
};

export type Series = Points & {
  key: string;
  /** How many points are stored in the range that was asked for. */
  count: number;
  /** Whether these are all of them; otherwise a selection that keeps every minimum and maximum. */
  exact: boolean;
  /** How much of the run's stream the points include. */
  ordinal: number;
};

export const noPoints: Points = { step: [], value: [], time: [] };

/** JSON has no NaN, so the API writes the three values that are not finite as words. */
export function numberOf(value: WireValue): number {
  return typeof value === "number" ? value : Number(value);
}

type WirePoints = { step: number[]; value: WireValue[]; time: number[] };

export function pointsFrom({ step, value, time }: WirePoints): Points {
  return { step, value: value.map(numberOf), time };
}

/**
 * Both parts in one, ascending by step, points that are in both only once. The order of points with equal
 * steps is kept: `first` before `second`.
 */
export function merged(first: Points, second: Points): Points {
  if (second.step.length === 0) return first;
  if (first.step.length === 0 && ascending(second.step)) return second;
  const lastStep = first.step.at(-1) ?? Number.NEGATIVE_INFINITY;
  if (ascending(second.step) && (second.step[0] ?? 0) > lastStep) {
    return {
      step: first.step.concat(second.step),
      value: first.value.concat(second.value),
      time: first.time.concat(second.time),
    };
  }
  const step = first.step.concat(second.step);
  const value = first.value.concat(second.value);
  const time = first.time.concat(second.time);
  const order = step.map((_, index) => index).sort((a, b) => at(step, a) - at(step, b));
  const result: Points = { step: [], value: [], time: [] };
  const seen = new Set<string>();
  for (const index of order) {
    const identity = `${step[index]} ${time[index]} ${value[index]}`;
    if (seen.has(identity)) continue;
    seen.add(identity);
    result.step.push(at(step, index));
    result.value.push(at(value, index));
    result.time.push(at(time, index));
  }
  return result;
}

function at(column: readonly number[], index: number): number {
  return column[index] ?? Number.NaN;
}

function ascending(column: readonly number[]): boolean {
  for (let index = 1; index < column.length; index++) {
    if (at(column, index) < at(column, index - 1)) return false;
  }
  return true;
}

/** `train/loss` stands in the section `train`; what has no slash stands in the first, nameless one. */
export function sectionOf(key: string): string {
  const slash = key.lastIndexOf("/");
  return slash > 0 ? key.slice(0, slash) : "";
}

/**
 * Keys by section, sections and keys in natural order (`layer2` before `layer10`). A prefix that only one key
 * has makes no section of its own: such keys stand in the nameless one, which comes first.
 */
export function bySection(keys: readonly string[]): { section: string; keys: string[] }[] {
  const natural = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const prefixes = Map.groupBy(keys, sectionOf);
  const sections = Map.groupBy(keys, (key) => {
    const prefix = sectionOf(key);
    return (prefixes.get(prefix)?.length ?? 0) > 1 ? prefix : "";
  });
  return [...sections]
    .map(([section, members]) => ({ section, keys: members.toSorted(natural.compare) }))
    .sort((a, b) => natural.compare(a.section, b.section));
}
