import { useQueries } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { type Line, type PointAxis, positions, type Range } from "@/charts/axis";
import type { Fullness } from "@/charts/export";
import { countIn, type Picture, pictured } from "@/charts/series";
import { refetchAfter } from "./live";
import { useLive, useLiveValue } from "./live-context";
import { pictureQuery } from "./queries";
import type { ChartRun } from "./runs";

type Options = {
  runs: readonly ChartRun[];
  metrics: readonly string[];
  axis: PointAxis;
  /** What is zoomed into, once the hand rests. */
  zoom: Range | null;
  points: number;
  /** How far each run had come when new points were to stay out; `null` while they come in. */
  until: ReadonlyMap<string, number> | null;
  /** Out of sight: nothing is made anew. */
  asleep: boolean;
};

export type Lines = {
  lines: readonly Line[];
  fullness: Fullness;
  error: Error | null;
  retry: () => void;
  /** Whether anything can be shown yet. */
  ready: boolean;
  refreshing: boolean;
};

type Held = { whole: Picture | undefined; detail: Picture | undefined };
type Made = { parts: readonly unknown[]; line: Line };

/** The series of runs as lines: the server's pictures, refined inside the zoom, and what came live. */
export function useRunLines(options: Options): Lines {
  const { runs, metrics, axis, zoom, points, until, asleep } = options;
  const live = useLive();
  const sources = runs.flatMap((run) =>
    metrics.map((key, index) => ({ run, key, place: index, runId: run.id })),
  );
  const seen = useRef(0);
  useLiveValue((stream) => {
    if (asleep || !stream) return seen.current;
    seen.current = sources.reduce((sum, { runId, key }) => sum + stream.version(runId, key), 0);
    return seen.current;
  });

  const wholes = useQueries({
    queries: sources.map((source) => pictureQuery(source, axis, null, points)),
  });
  // While the next picture is on its way the one before it stays, each in the part that it is of.
  const before = useRef(new Map<string, Held>());
  const held = new Map<string, Held>();
  const details = useQueries({
    queries: sources.map((source, index) => ({
      ...pictureQuery(source, axis, zoom, points),
      enabled: zoom !== null && wholes[index]?.data?.exact === false,
    })),
  });
  const made = useRef(new Map<string, Made>());
  const next = new Map<string, Made>();
  const stale: number[] = [];
  const fullness: Fullness = { shown: 0, stored: 0, exact: true };
  const lines = sources.map(({ run, key, place, runId }, index): Line => {
    const id = `${runId} ${key}`;
    const name = `${id} ${axis}`;
    const old = before.current.get(name);
    const whole = wholes[index]?.data ?? old?.whole;
    const detail = zoom ? (details[index]?.data ?? old?.detail) : undefined;
    held.set(name, { whole, detail });
    const upto = until?.get(runId);
    const tail = (after: number) =>
      live
        ? positions(live.points(runId, key, after, upto), axis, originOf(whole, live, runId, key))
        : { x: [], y: [] };
    const arrived = whole && live ? live.points(runId, key, whole.ordinal).step.length : 0;
    if (whole && live && !until) {
      const lacks = whole.ordinal < live.began(runId) && upto === undefined;
      const rootless = axis === "relative" && whole.origin === null && arrived > 0;
      if (lacks || rootless || arrived > refetchAfter) stale.push(index);
    }
    const label = runs.length === 1 ? key : metrics.length > 1 ? `${run.name} · ${key}` : run.name;
    const look = runs.length === 1 ? place : run.look + 8 * place;
    const exact = whole?.exact || (detail?.exact ?? false);
    const parts = [whole, detail, live?.version(runId, key), upto, label, look, exact];
    const known = made.current.get(name);
    const keep = known && (asleep || known.parts.every((part, at) => Object.is(part, parts[at])));
    const line = keep
      ? known.line
      : {
          id,
          label,
          look,
          metric: key,
          run: { id: runId, name: run.name },
          coarse: !exact,
          ...pictured(whole, detail, tail),
        };
    next.set(name, { parts: keep ? known.parts : parts, line });
    const shown = countIn(line.x, zoom);
    fullness.shown += shown;
    const stored = detail?.count ?? whole?.count ?? 0;
    fullness.stored += exact ? shown : stored + arrived;
    fullness.exact &&= exact || whole === undefined;
    return line;
  });
  useEffect(() => {
    before.current = held;
    made.current = next;
  });

  const wanting = stale.join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: asks again once for each time it turns stale
  useEffect(() => {
    for (const index of stale) void wholes[index]?.refetch();
  }, [wanting]);

  // A run that never logged the metric has no line, unless nobody has one.
  const drawn = lines.filter(({ x }) => x.length > 0);
  const failed = wholes.find(({ error, data }) => error && !data);
  return {
    lines: useSteady(drawn.length > 0 ? drawn : lines.slice(0, 1)),
    fullness,
    error: failed?.error ?? null,
    retry: () => {
      for (const { error, refetch } of wholes) if (error) void refetch();
    },
    ready: sources.length === 0 || [...held.values()].some(({ whole }) => whole),
    refreshing: details.some(({ isFetching }) => isFetching),
  };
}

type Stream = NonNullable<ReturnType<typeof useLive>>;

/** What the run's relative time counts from: the server knows, or else the first point that came live. */
function originOf(whole: Picture | undefined, live: Stream, runId: string, key: string): number {
  return whole?.origin ?? live.points(runId, key, 0).time[0] ?? 0;
}

/** The same list as before while its members are the same. */
function useSteady<Member>(list: readonly Member[]): readonly Member[] {
  const last = useRef(list);
  const same =
    last.current.length === list.length && list.every((one, at) => one === last.current[at]);
  if (!same) last.current = list;
  return last.current;
}
