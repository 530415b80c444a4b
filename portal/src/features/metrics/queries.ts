import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { batched } from "@/api/batch";
import {
  getExportRunUrl,
  getListMetricsQueryKey,
  listMetrics,
  readBuckets,
  readSeriesOfRuns,
} from "@/api/generated/metrics/metrics";
import { type PointAxis, type Range, rangeParams } from "@/charts/axis";
import type { Bucketed } from "@/charts/bands";
import { noPicture, numberOf, type Picture, pictureFrom } from "@/charts/series";

/** The metrics of a run with their ranges and last values, in pages. */
export function runMetricsQuery(runId: string, q = "") {
  return infiniteQueryOptions({
    queryKey: [...getListMetricsQueryKey(runId), "pages", q],
    queryFn: ({ pageParam, signal }) =>
      listMetrics(
        runId,
        { limit: 1000, cursor: pageParam ?? undefined, ...(q ? { q } : {}) },
        { signal },
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  });
}

export type Source = { runId: string; key: string };

/** As the server may be asked at once: its own limits, and addresses that every proxy takes. */
const seriesAtOnce = 200;
const pointsAtOnce = 100_000;
const addressLength = 6_000;

type Group = { axis: PointAxis; range: Range | null; points: number };

/** Splits what many panels ask for into as few requests as carry it: each all keys of the same runs. */
export function requestsFor(sources: readonly Source[], points: number) {
  const runsOf = new Map<string, Set<string>>();
  for (const { runId, key } of sources) {
    runsOf.set(key, (runsOf.get(key) ?? new Set()).add(runId));
  }
  const most = Math.max(1, Math.min(seriesAtOnce, Math.floor(pointsAtOnce / points)));
  const requests: { runs: string[]; keys: string[] }[] = [];
  for (const keys of Map.groupBy(runsOf.keys(), (key) => [...(runsOf.get(key) ?? [])].join())) {
    const all = [...(runsOf.get(keys[1][0] ?? "") ?? [])];
    for (let from = 0; from < all.length; from += Math.min(100, most)) {
      const runs = all.slice(from, from + Math.min(100, most));
      const room = addressLength - runs.length * 45;
      let batch: string[] = [];
      let length = 0;
      for (const key of keys[1]) {
        const size = encodeURIComponent(key).length + 5;
        if (batch.length > 0 && ((batch.length + 1) * runs.length > most || length + size > room)) {
          requests.push({ runs, keys: batch });
          batch = [];
          length = 0;
        }
        batch.push(key);
        length += size;
      }
      requests.push({ runs, keys: batch });
    }
  }
  return requests;
}

const nameOf = ({ runId, key }: Source) => `${runId} ${key}`;
const sourceOf = (name: string): Source => ({ runId: name.slice(0, 36), key: name.slice(37) });

const loadPicture = batched<Group, Picture>(
  async ({ axis, range, points }, names) => {
    const found = new Map<string, Picture>();
    await Promise.all(
      requestsFor(names.map(sourceOf), points).map(async ({ runs, keys }) => {
        const params = { run_id: runs, key: keys, points, x: axis, ...rangeParams(axis, range) };
        const { series } = await readSeriesOfRuns(params);
        for (const one of series) {
          found.set(nameOf({ runId: one.run_id, key: one.key }), pictureFrom(one, axis, range));
        }
      }),
    );
    return found;
  },
  () => noPicture,
);

/** How far runs have come: what was logged later follows in their stream. */
export async function ordinalsOf(runIds: readonly string[]): Promise<Map<string, number>> {
  // The answer says it of every key, also of one that nobody has logged.
  const { series } = await readSeriesOfRuns({ run_id: [...runIds], key: ["-"], points: 4 });
  return new Map(series.map(({ run_id, ordinal }) => [run_id, ordinal]));
}

/** A picture of a series, of all or of a part. Live points are added to it from the stream, not by asking again. */
export function pictureQuery(
  { runId, key }: Source,
  axis: PointAxis,
  range: Range | null,
  points: number,
) {
  return queryOptions({
    queryKey: ["/api/v1/metrics/series", runId, key, axis, range, points],
    queryFn: () => loadPicture({ axis, range, points }, nameOf({ runId, key })),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 5 * 60_000,
  });
}

/** What many runs did in the same stretches of the axis, for bands over groups of runs. */
export function bucketsQuery(
  runIds: readonly string[],
  key: string,
  axis: PointAxis,
  range: Range | null,
  intervals: number,
) {
  return queryOptions({
    queryKey: ["/api/v1/metrics/buckets", runIds, key, axis, range, intervals],
    queryFn: async ({ signal }): Promise<Map<string, Bucketed>> => {
      const params = { run_id: [...runIds], key: [key], x: axis, intervals };
      const { series } = await readBuckets({ ...params, ...rangeParams(axis, range) }, { signal });
      const scale = axis === "step" ? 1 : 1e6;
      return new Map(
        series.map((one) => [
          one.run_id,
          {
            x: one.x.map((place) => place / scale),
            count: one.count,
            min: one.min.map(numberOf),
            max: one.max.map(numberOf),
            mean: one.mean.map(numberOf),
          },
        ]),
      );
    },
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    placeholderData: keepPreviousData,
  });
}

/** The address of everything that is stored of some metrics of a run. */
export function exportPath(
  runId: string,
  keys: readonly string[],
  format: "csv" | "parquet",
): string {
  return getExportRunUrl(runId, { format, key: [...keys] });
}

/** The first thousand keys of a run. */
export function metricKeysQuery(runId: string) {
  return queryOptions({
    queryKey: [...getListMetricsQueryKey(runId), "keys"],
    queryFn: async ({ signal }) => {
      const { items } = await listMetrics(runId, { limit: 1000 }, { signal });
      return items.map(({ key }) => key);
    },
    staleTime: 60_000,
  });
}
