import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import {
  getListMetricsQueryKey,
  getReadSeriesQueryKey,
  listMetrics,
  readSeries,
} from "@/api/generated/metrics/metrics";
import { batched } from "./batch";
import { noPoints, pointsFrom, type Series } from "./series";

/** How many points of a series the server is asked for: about two for each pixel of a wide panel. */
export const pictureSize = 2000;
const keysAtOnce = 16;

/** The metrics of a run with their ranges and last values, in pages. */
export function runMetricsQuery(runId: string) {
  return infiniteQueryOptions({
    queryKey: [...getListMetricsQueryKey(runId), "pages"],
    queryFn: ({ pageParam, signal }) =>
      listMetrics(runId, { limit: 1000, cursor: pageParam ?? undefined }, { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });
}

type Group = { runId: string; steps: readonly [number, number] | null };

const loadSeries = batched<Group, Series>(
  async ({ runId, steps }, keys) => {
    const { series } = await readSeries(runId, {
      key: keys,
      points: pictureSize,
      ...(steps ? { from_step: steps[0], to_step: steps[1] } : {}),
    });
    return new Map(series.map((one) => [one.key, { ...one, ...pointsFrom(one) }]));
  },
  (key) => ({ ...noPoints, key, count: 0, exact: true, ordinal: 0 }),
  keysAtOnce,
);

/** How far a run has come: what was logged later follows in its stream. */
export async function ordinalOf(runId: string): Promise<number> {
  // The answer says it of every key, also of one that nobody has logged.
  const { series } = await readSeries(runId, { key: ["-"], points: 4 });
  return series[0]?.ordinal ?? 0;
}

/** A metric's picture, of all steps or of some. Live points are added to it by `LiveRun`, not by asking again. */
export function seriesQuery(runId: string, key: string, steps: readonly [number, number] | null) {
  return queryOptions({
    queryKey: [...getReadSeriesQueryKey(runId), key, steps],
    queryFn: () => loadSeries({ runId, steps }, key),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 5 * 60_000,
    placeholderData: keepPreviousData,
  });
}
