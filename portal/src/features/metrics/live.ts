/** The points of a running run as they arrive, for every chart of the page from one stream. */

import { type FeedState, openFeed } from "@/api/events";
import { noPoints, numberOf, type Points, type WireValue } from "./series";

type WireBatch = { series: { key: string; step: number[]; value: WireValue[]; time: number[] }[] };
type Batch = Points & { ordinal: number };

const drawEveryMs = 100;
const askAgainMs = 3_000;
/** Beyond this many points a key's oldest batches are let go; the picture is fetched again before that. */
const kept = 20_000;
export const refetchAfter = 4_000;

export class LiveRun {
  /** The state of the stream; `ended` once the run has finished. */
  state: FeedState | "ended" = "connecting";
  /** Where the stream began. A picture from before lacks what was logged in between: ask for it again. */
  began = Number.POSITIVE_INFINITY;
  /** The last ordinal that has arrived. */
  last = 0;
  private readonly batches = new Map<string, Batch[]>();
  private readonly versions = new Map<string, number>();
  private readonly listeners = new Set<() => void>();
  private keyList: readonly string[] = [];
  private lastDrawn = 0;
  private scheduled = false;
  private close: (() => void) | null = null;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private stopped = false;

  constructor(
    private readonly runId: string,
    private readonly onStatus: (status: string) => void,
  ) {}

  /** Follows the run from now on. `ordinalNow` asks the server how far the run has come. */
  async open(ordinalNow: () => Promise<number>): Promise<void> {
    try {
      this.began = this.last = await ordinalNow();
    } catch {
      this.state = "reconnecting";
      this.tell();
      this.retry = setTimeout(() => void this.open(ordinalNow), askAgainMs);
      return;
    }
    if (this.stopped) return;
    this.close = openFeed({
      path: `/api/v1/runs/${this.runId}/metrics/stream`,
      after: String(this.began),
      on: {
        metrics: (data, id) => this.take(JSON.parse(data) as WireBatch, Number(id)),
        run: (data) => this.takeStatus(JSON.parse(data) as { status: string }),
      },
      onState: (state) => {
        if (this.state === "ended") return;
        this.state = state;
        this.tell();
      },
    });
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.retry);
    this.close?.();
    this.close = null;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Grows with every batch of the key; 0 before the first. */
  version(key: string): number {
    return this.versions.get(key) ?? 0;
  }

  keys(): readonly string[] {
    return this.keyList;
  }

  /** The points of a key that were logged after one ordinal, up to another. */
  points(key: string, after: number, upto = Number.POSITIVE_INFINITY): Points {
    const batches = (this.batches.get(key) ?? []).filter(
      ({ ordinal }) => ordinal > after && ordinal <= upto,
    );
    if (batches.length === 0) return noPoints;
    return {
      step: batches.flatMap(({ step }) => step),
      value: batches.flatMap(({ value }) => value),
      time: batches.flatMap(({ time }) => time),
    };
  }

  private take({ series }: WireBatch, ordinal: number): void {
    this.last = ordinal;
    for (const { key, step, value, time } of series) {
      let list = this.batches.get(key);
      if (!list) {
        list = [];
        this.batches.set(key, list);
        this.keyList = [...this.keyList, key];
      }
      list.push({ step, value: value.map(numberOf), time, ordinal });
      let size = list.reduce((sum, batch) => sum + batch.step.length, 0);
      while (size > kept && list.length > 1) size -= list.shift()?.step.length ?? 0;
      this.versions.set(key, this.version(key) + 1);
    }
    this.schedule();
  }

  private takeStatus({ status }: { status: string }): void {
    if (status !== "running" && status !== "interrupted" && status !== "draft") {
      this.state = "ended";
      this.stop();
    }
    this.onStatus(status);
    this.tell();
  }

  /** At most ten times a second, and only in frames that are painted: a hidden tab draws nothing. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    const wait = Math.max(0, this.lastDrawn + drawEveryMs - performance.now());
    setTimeout(() => {
      requestAnimationFrame(() => {
        this.scheduled = false;
        this.lastDrawn = performance.now();
        this.tell();
      });
    }, wait);
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}
