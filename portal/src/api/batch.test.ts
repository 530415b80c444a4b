import { expect, test, vi } from "vitest";
import { batched } from "./batch";

test("what is asked for at once is fetched together, by group", async () => {
  const load = vi.fn(
    async (group: string, keys: string[]) => new Map(keys.map((key) => [key, group + key])),
  );
  const ask = batched(load, () => "nothing");
  const answers = await Promise.all([ask("x", "a"), ask("x", "b"), ask("x", "c"), ask("y", "a")]);
  expect(answers).toEqual(["xa", "xb", "xc", "ya"]);
  expect(load.mock.calls).toEqual([
    ["x", ["a", "b", "c"]],
    ["y", ["a"]],
  ]);
});

test("a key that the answer leaves out has its own value, a failure reaches everybody", async () => {
  const ask = batched(
    async (group: string) => {
      if (group === "bad") throw new Error("away");
      return new Map<string, string>();
    },
    (key) => `no ${key}`,
  );
  expect(await ask("good", "a")).toBe("no a");
  await expect(Promise.all([ask("bad", "a"), ask("bad", "b")])).rejects.toThrow("away");
});
