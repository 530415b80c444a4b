/** A metric's points as they travel, and as pictures that charts put together. */

import { type Axis, type Curve, positions, type Range } from "./axis";

export type WireValue = number | "NaN" | "Infinity" | "-Infinity";

export type Points = {
  step: number[];
  /** Finite, or NaN / ±Infinity as they were logged. */
  value: number[];
  /** Microseconds since 1970, UTC. */
  time: number[];
};

/** What the server draws of a series along an axis. */
export type Picture = Curve & {
  /** How many points are stored in the range that was asked for. */
  count: number;
  /** Whether these are all of them; otherwise a selection that keeps every minimum and maximum. */
  exact: boolean;
  /** How much of the run's stream the points include. */
  ordinal: number;
  /** When the run's first point was, in microseconds; `null` before it. */
  origin: number | null;
  /** The part that was asked for; `null` is all. */
  range: Range | null;
};

export const noPoints: Points = { step: [], value: [], time: [] };
export const noPicture: Picture = {
  x: [],
  y: [],
  count: 0,
  exact: true,
  ordinal: 0,
  origin: null,
  range: null,
};

/** JSON has no NaN, so the API writes the three values that are not finite as words. */
export function numberOf(value: WireValue): number {
  return typeof value === "number" ? value : Number(value);
}

type WireSeries = {
  step: number[];
  value: WireValue[];
  time: number[];
  count: number;
  exact: boolean;
  ordinal: number;
  origin?: number | null;
};

export function pictureFrom(wire: WireSeries, axis: Axis, range: Range | null): Picture {
  const { step, time, count, exact, ordinal, origin = null } = wire;
  const value = wire.value.every((one) => typeof one === "number")
    ? (wire.value as number[])
    : wire.value.map(numberOf);
  const begin = origin ?? time[0] ?? 0;
  const curve = positions({ step, value, time }, axis, begin);
  return { ...curve, count, exact, ordinal, origin, range };
}

/** Both curves in one, x ascending; of equal places those of `first` come first. */
export function merged(first: Curve, second: Curve): Curve {
  if (second.x.length === 0) return first;
  if (ascending(second.x)) {
    if (first.x.length === 0) return second;
    if ((second.x[0] ?? 0) >= (first.x.at(-1) ?? 0)) {
      return { x: first.x.concat(second.x), y: first.y.concat(second.y) };
    }
  }
  const x = first.x.concat(second.x);
  const y = first.y.concat(second.y);
  const order = x.map((_, index) => index).sort((a, b) => at(x, a) - at(x, b));
  return { x: order.map((index) => at(x, index)), y: order.map((index) => at(y, index)) };
}

/**
 * What is drawn of a series: coarse where nobody looks closely, fine inside the zoom, then what came live.
 * `tail` gives what the stream brought after an ordinal; each part takes only what it does not include.
 */
export function pictured(
  whole: Picture | undefined,
  detail: Picture | undefined,
  tail: (after: number) => Curve,
): Curve {
  if (!whole) return { x: [], y: [] };
  const range = detail?.range;
  if (!detail || !range) return merged(whole, tail(whole.ordinal));
  const inside = (place: number) => place >= range[0] && place <= range[1];
  const before = cut(whole, (place) => place < range[0]);
  const after = cut(whole, (place) => place > range[1]);
  const fine = merged(cut(detail, inside), cut(tail(detail.ordinal), inside));
  const outside = cut(tail(whole.ordinal), (place) => !inside(place));
  return merged(merged(merged(before, fine), after), outside);
}

function cut({ x, y }: Curve, keep: (place: number) => boolean): Curve {
  const result: Curve = { x: [], y: [] };
  for (let index = 0; index < x.length; index++) {
    const place = at(x, index);
    if (!keep(place)) continue;
    result.x.push(place);
    result.y.push(at(y, index));
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

/** How many places lie in the range; all where there is none. */
export function countIn(x: readonly number[], range: Range | null): number {
  if (!range) return x.length;
  let count = 0;
  for (const place of x) if (place >= range[0] && place <= range[1]) count += 1;
  return count;
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
