import { expect, test } from "vitest";
import { formatsFor } from "@/ui/format";

const en = formatsFor("en");
const ru = formatsFor("ru");
const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, " ");

test("durations show their two greatest units", () => {
  expect(en.duration(0.25)).toBe("250ms");
  expect(en.duration(12.34)).toBe("12.3s");
  expect(en.duration(3_840)).toBe("1h 4m");
  expect(en.duration(86_400)).toBe("1d");
  expect(plain(ru.duration(3_840))).toBe("1 ч 4 мин");
});

test("a time is told by its distance, in words", () => {
  const now = Date.parse("2026-11-23T12:00:00Z");
  expect(en.relative("2026-11-23T11:57:00Z", now)).toBe("3 minutes ago");
  expect(ru.relative("2026-11-23T11:57:00Z", now)).toBe("3 минуты назад");
  expect(en.relative("2026-11-23T11:59:57Z", now)).toBe("now");
});

test("Russian dates go without the abbreviation of the year", () => {
  expect(plain(ru.date("2026-11-23T12:00:00Z"))).toBe("23 нояб. 2026");
});

test("what is not finite is shown as what it is", () => {
  expect(en.number(Number.NaN)).toBe("NaN");
  expect(en.number(Number.NEGATIVE_INFINITY)).toBe("-Infinity");
  expect(plain(ru.number(1234.5))).toBe("1 234,5");
});
