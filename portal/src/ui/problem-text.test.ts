import { i18n } from "@lingui/core";
import { beforeAll, describe, expect, it } from "vitest";
import { Problem } from "@/api/problem";
import { problemText } from "@/ui/problem-text";

beforeAll(() => i18n.loadAndActivate({ locale: "en", messages: {} }));

function refused(type: string, retryAfter: number | null): Problem {
  return new Problem({ status: 429, type: `/problems/${type}`, title: "Too many" }, retryAfter);
}

describe("a limit", () => {
  it("says after how many seconds to come again", () => {
    const text = problemText(refused("too-many-requests", 7), i18n);
    expect(text).toContain("Try again in 7 seconds.");
    expect(text).not.toContain("attempts");
  });

  it("says so of one second", () => {
    expect(problemText(refused("too-many-requests", 1), i18n)).toContain("in 1 second.");
  });

  it("says to wait where the server does not say how long", () => {
    expect(problemText(refused("too-many-requests", null), i18n)).toContain("Wait a moment.");
  });

  it("speaks of attempts where somebody signs in", () => {
    expect(problemText(refused("too-many-attempts", 30), i18n)).toBe(
      "Too many attempts. Try again in 30 seconds.",
    );
  });
});
