import { expect, test } from "vitest";
import { chipsOf, withChips } from "./chips";

test("what the fields put into an expression they read out of it again", () => {
  const chips = { name: "quick", status: ["failed", "running"], tags: ["rig=A 1", "old"] };
  expect(chipsOf(withChips("", chips))).toEqual(chips);
  expect(chipsOf(withChips("", { status: ["failed"] }))?.status).toEqual(["failed"]);
});

test("fields change their own condition and leave the others", () => {
  const text = 'metrics.loss < 0.2 and attributes.status = "failed"';
  expect(withChips(text, { status: [] })).toBe("metrics.loss < 0.2");
  expect(withChips(text, { name: "qu" })).toBe(`${text} and attributes.name ilike "%qu%"`);
});

test("an expression that is no chain of conditions has no fields", () => {
  expect(chipsOf("metrics.loss <")).toBeNull();
});
