import { expect, test } from "vitest";
import { requestsFor } from "./queries";

const ids = (count: number) => Array.from({ length: count }, (_, index) => `run-${index}`);
const sources = (runs: string[], keys: string[]) =>
  runs.flatMap((runId) => keys.map((key) => ({ runId, key })));

test("what all panels want of the same runs is one request", () => {
  const keys = ["loss", "accuracy", "lr"];
  expect(requestsFor(sources(ids(10), keys), 1000)).toEqual([{ runs: ids(10), keys }]);
});

test("no request asks for more series or points than the server gives at once", () => {
  for (const [runs, keys, points] of [
    [100, 12, 300],
    [3, 150, 2000],
    [60, 8, 2000],
  ] as const) {
    const wanted = sources(
      ids(runs),
      ids(keys).map((id) => `key-${id}`),
    );
    const requests = requestsFor(wanted, points);
    for (const { runs: some, keys: of } of requests) {
      expect(some.length * of.length).toBeLessThanOrEqual(200);
      expect(some.length * of.length * points).toBeLessThanOrEqual(1_000_000);
    }
    const asked = requests.flatMap(({ runs: some, keys: of }) => sources(some, of));
    expect(new Set(asked.map(({ runId, key }) => `${runId} ${key}`)).size).toBe(runs * keys);
    expect(asked).toHaveLength(runs * keys);
  }
});

test("long keys are spread over addresses that every proxy takes", () => {
  const keys = ids(30).map((id) => `${id}-${"é".repeat(200)}`);
  for (const { keys: some } of requestsFor(sources(["one"], keys), 300)) {
    expect(some.map(encodeURIComponent).join("&key=").length).toBeLessThan(7000);
  }
});
