/** Numbers, times and durations as people of the chosen language write them. Copy and CSV never use these. */

import { useLingui } from "@lingui/react";

export type Formats = {
  /** `23 Nov 2026, 14:05:07` */
  dateTime(value: string | Date): string;
  /** `23 Nov 2026, 14:05:07.123 GMT+3`: for tooltips, where precision and zone matter. */
  exact(value: string | Date): string;
  date(value: string | Date): string;
  /** `5 minutes ago`, `in 3 days`. */
  relative(value: string | Date, now?: number): string;
  number(value: number, options?: Intl.NumberFormatOptions): string;
  /** `1h 4m`, `12.3s`, `1 ч 4 мин`: its two greatest units. */
  duration(seconds: number): string;
};

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

const made = new Map<string, Formats>();

/** The formats of a language. Intl's objects are dear to make, so a table's cells share one set. */
export function formatsFor(locale: string): Formats {
  const known = made.get(locale) ?? make(locale);
  made.set(locale, known);
  return known;
}

function make(locale: string): Formats {
  // "en" alone means American dates; the contract's audience reads day before month and 24 hours.
  const tag = locale === "en" ? "en-GB" : locale;
  const day = { day: "numeric", month: "short", year: "numeric" } as const;
  const clock = { hour: "2-digit", minute: "2-digit", second: "2-digit" } as const;
  const dateTime = new Intl.DateTimeFormat(tag, { ...day, ...clock });
  const exact = new Intl.DateTimeFormat(tag, {
    ...day,
    ...clock,
    fractionalSecondDigits: 3,
    timeZoneName: "short",
  });
  const date = new Intl.DateTimeFormat(tag, day);
  const relative = new Intl.RelativeTimeFormat(tag, { numeric: "auto" });
  const unit = (name: string, digits = 0) =>
    new Intl.NumberFormat(tag, {
      style: "unit",
      unit: name,
      unitDisplay: "narrow",
      maximumFractionDigits: digits,
    });
  const units = {
    day: unit("day"),
    hour: unit("hour"),
    minute: unit("minute"),
    second: unit("second"),
    tenths: unit("second", 1),
    millisecond: unit("millisecond"),
  };

  // Russian dates come with "г." for the year, which only makes dense tables wider.
  const at = (format: Intl.DateTimeFormat, value: string | Date) =>
    format.format(new Date(value)).replace(/\s?г\./, "");

  const numbers = new Map<string, Intl.NumberFormat>();
  const number = (options: Intl.NumberFormatOptions) => {
    const key = JSON.stringify(options);
    const known = numbers.get(key) ?? new Intl.NumberFormat(tag, options);
    numbers.set(key, known);
    return known;
  };

  return {
    dateTime: (value) => at(dateTime, value),
    exact: (value) => at(exact, value),
    date: (value) => at(date, value),
    relative: (value, now = Date.now()) => {
      const seconds = (new Date(value).getTime() - now) / 1000;
      for (const [name, length] of steps) {
        if (Math.abs(seconds) >= length) {
          return relative.format(Math.trunc(seconds / length), name);
        }
      }
      return relative.format(Math.abs(seconds) < 10 ? 0 : Math.round(seconds), "second");
    },
    number: (value, options) =>
      Number.isFinite(value)
        ? number(options ?? { maximumSignificantDigits: 6 }).format(value)
        : String(value),
    duration: (seconds) => {
      if (seconds < 1) return units.millisecond.format(Math.round(seconds * 1000));
      if (seconds < 60) return units.tenths.format(seconds);
      const whole = Math.round(seconds);
      const parts: [number, Intl.NumberFormat][] = [
        [Math.floor(whole / 86_400), units.day],
        [Math.floor(whole / 3_600) % 24, units.hour],
        [Math.floor(whole / 60) % 60, units.minute],
        [whole % 60, units.second],
      ];
      const first = parts.findIndex(([amount]) => amount > 0);
      return parts
        .slice(first, first + 2)
        .filter(([amount], index) => index === 0 || amount > 0)
        .map(([amount, format]) => format.format(amount))
        .join(" ");
    },
  };
}

export function useFormats(): Formats {
  const { i18n } = useLingui();
  return formatsFor(i18n.locale);
}
