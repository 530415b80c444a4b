import { describe, expect, it } from "vitest";
import { Problem } from "@/api/problem";
import { createQueryClient } from "@/app/queries";

const { retry, retryDelay } = createQueryClient().getDefaultOptions().queries ?? {};

function again(error: unknown, failures = 0): number | false {
  if (typeof retry !== "function" || typeof retryDelay !== "function") throw new Error("unset");
  const known = error as Error;
  return retry(failures, known) ? retryDelay(failures, known) : false;
}

function problem(status: number, retryAfter: number | null = null): Problem {
  return new Problem({ status }, retryAfter);
}

describe("a read that failed", () => {
  it("is asked again as soon as a limit allows, twice", () => {
    expect(again(problem(429, 3))).toBe(3000);
    expect(again(problem(429, 3), 1)).toBe(3000);
    expect(again(problem(429, 3), 2)).toBe(false);
  });

  it("is not kept secret where the limit lasts", () => {
    expect(again(problem(429, 60))).toBe(false);
    expect(again(problem(429))).toBe(false);
  });

  it("is asked again after silence and overload, and not after a refusal", () => {
    expect(again(problem(0))).toBe(1000);
    expect(again(problem(503), 1)).toBe(2000);
    expect(again(problem(404))).toBe(false);
  });
});
