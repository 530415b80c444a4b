/** Short numbers and times for axes and read-outs, in the reader's language. */

import type { Axis } from "./axis";

const minute = 60;
const hour = 3600;
const day = 86_400;

const secondSteps = [
  0.001,
  0.002,
  0.005,
  0.01,
  0.02,
  0.05,
  0.1,
  0.2,
  0.5,
  1,
  2,
  5,
  10,
  15,
  30,
  minute,
  2 * minute,
  5 * minute,
  10 * minute,
  15 * minute,
  30 * minute,
  hour,
  2 * hour,
  3 * hour,
  6 * hour,
  12 * hour,
  day,
  2 * day,
  5 * day,
  10 * day,
  30 * day,
  90 * day,
  365 * day,
];

/** Distances between ticks that read well on the axis; `undefined` leaves it to the chart. */
export function tickSteps(axis: Axis): number[] | undefined {
  if (axis === "value") return undefined;
  if (axis === "step")
    return Array.from({ length: 46 }, (_, n) => [1, 2, 5][n % 3] as number).map(
      (base, n) => base * 10 ** Math.floor(n / 3),
    );
  return secondSteps;
}

export type Words = {
  /** A value on the y axis: `0.25`, `12k`, `1e-7`. */
  tick(value: number): string;
  /** A value in a tooltip or heading, six significant digits. */
  value(value: number): string;
  /** How many there are, in full or shortened: `1,941`, `200K`. */
  count(amount: number, notation?: "standard" | "compact"): string;
  /** Labels of the ticks on the x axis, `step` apart. */
  xTicks(axis: Axis, places: readonly number[], step: number): string[];
  /** A place on the x axis in full: `Step 1,204`, `23 Nov 2026, 14:05:07.123`, `1:04:09`. */
  place(axis: Axis, x: number): string;
};

const prefixes: [number, string][] = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];

const made = new Map<string, Words>();

/** The words of a language. Intl's objects are dear to make, so all charts share one set. */
export function wordsFor(locale: string): Words {
  const known = made.get(locale) ?? make(locale);
  made.set(locale, known);
  return known;
}

function make(locale: string): Words {
  const tag = locale === "en" ? "en-GB" : locale;
  const short = new Intl.NumberFormat(tag, { maximumSignificantDigits: 5 });
  const long = new Intl.NumberFormat(tag, { maximumSignificantDigits: 6 });
  const scientific = new Intl.NumberFormat(tag, {
    notation: "scientific",
    maximumSignificantDigits: 4,
  });
  const longScientific = new Intl.NumberFormat(tag, {
    notation: "scientific",
    maximumSignificantDigits: 6,
  });
  const whole = new Intl.NumberFormat(tag, { maximumFractionDigits: 2 });
  const integers = new Intl.NumberFormat(tag);
  const compact = new Intl.NumberFormat(tag, { notation: "compact", maximumFractionDigits: 1 });
  const clock = { hour: "2-digit", minute: "2-digit" } as const;
  const dayMonth = new Intl.DateTimeFormat(tag, { day: "numeric", month: "short" });
  const hourMinute = new Intl.DateTimeFormat(tag, clock);
  const seconds = new Intl.DateTimeFormat(tag, { ...clock, second: "2-digit" });
  const fractions = new Intl.DateTimeFormat(tag, {
    ...clock,
    second: "2-digit",
    fractionalSecondDigits: 3,
  });
  const moment = new Intl.DateTimeFormat(tag, {
    day: "numeric",
    month: "short",
    year: "numeric",
    ...clock,
    second: "2-digit",
    fractionalSecondDigits: 3,
  });

  function tick(value: number): string {
    if (!Number.isFinite(value)) return word(value);
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-4 || size >= 1e15)) return exponent(scientific.format(value));
    const prefix = prefixes.find(([from]) => size >= from && size >= 1e4);
    return prefix ? `${short.format(value / prefix[0])}${prefix[1]}` : short.format(value);
  }

  function value(number: number): string {
    if (!Number.isFinite(number)) return word(number);
    const size = Math.abs(number);
    return size !== 0 && (size < 1e-4 || size >= 1e9)
      ? exponent(longScientific.format(number))
      : long.format(number);
  }

  function elapsed(total: number, step: number): string {
    const sign = total < 0 ? "−" : "";
    const size = Math.abs(total);
    if (size < minute && step < minute) return `${sign}${whole.format(size)} s`;
    const digits = (amount: number) => String(amount).padStart(2, "0");
    const s = Math.floor(size % 60);
    const m = Math.floor(size / minute) % 60;
    const h = Math.floor(size / hour);
    return h > 0 ? `${sign}${h}:${digits(m)}:${digits(s)}` : `${sign}${m}:${digits(s)}`;
  }

  function wall(places: readonly number[], step: number): string[] {
    const format = step >= minute ? hourMinute : step >= 1 ? seconds : fractions;
    let shown = "";
    return places.map((place) => {
      const date = new Date(place * 1000);
      const itsDay = dayMonth.format(date);
      if (step >= day) return itsDay;
      const first = shown !== itsDay;
      shown = itsDay;
      return first && places.length > 1 ? `${format.format(date)}\n${itsDay}` : format.format(date);
    });
  }

  return {
    tick,
    value,
    count: (amount, notation) => (notation === "compact" ? compact : integers).format(amount),
    xTicks: (axis, places, step) => {
      if (axis === "step" || axis === "value") return places.map((place) => tick(place));
      return axis === "time" ? wall(places, step) : places.map((place) => elapsed(place, step));
    },
    place: (axis, x) => {
      if (axis === "step" || axis === "value") return long.format(x);
      return axis === "time" ? moment.format(new Date(x * 1000)) : elapsed(x, 1);
    },
  };
}

/** `1e-5` as people write it; Intl has a capital E. */
function exponent(text: string): string {
  return text.replace("E", "e");
}

function word(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "+∞" : "−∞";
}
