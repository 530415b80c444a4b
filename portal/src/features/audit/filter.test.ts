import { expect, test } from "vitest";
import { asFilter } from "@/features/audit/filter";

test("the last day counts whole", () => {
  const filter = asFilter({ from: "2026-11-20", to: "2026-11-20", q: "" });
  const day = Date.parse(filter.until ?? "") - Date.parse(filter.since ?? "");
  expect(day).toBe(24 * 3600 * 1000);
  expect(filter.q).toBeUndefined();
});
