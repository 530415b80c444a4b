import { expect, test } from "vitest";
import { lookCount } from "@/ui/palette";
import { looksOf } from "./drawn";

const ids = (count: number) =>
  Array.from(
    { length: count },
    (_, at) => `0199b2c4-0000-7000-8000-${String(at).padStart(12, "0")}`,
  );

test("no two of the runs that fit into the palette look alike", () => {
  expect(new Set(looksOf(ids(lookCount), {}).values()).size).toBe(lookCount);
});

test("few runs are told apart by colour alone, before any line is dashed", () => {
  expect([...looksOf(ids(8), {}).values()].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test("the order of the table changes no run's look", () => {
  const runs = ids(20);
  const sorted = looksOf(runs.toReversed(), {});
  expect(runs.map((id) => sorted.get(id))).toEqual([...looksOf(runs, {}).values()]);
});

test("a run keeps its look while others come and go", () => {
  const [first = "", ...others] = ids(12);
  const before = looksOf([first, ...others], {});
  const after = looksOf(others, {}, before);
  expect(others.map((id) => after.get(id))).toEqual(others.map((id) => before.get(id)));
});

test("a picked look wins, and the run that had it by chance takes another", () => {
  const [first = "", second = ""] = ids(2);
  const own = looksOf([first], {}).get(first) ?? 0;
  const looks = looksOf([first, second], { [second]: own }, new Map([[first, own]]));
  expect(looks.get(second)).toBe(own);
  expect(looks.get(first)).not.toBe(own);
});
