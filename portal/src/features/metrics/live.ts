/** The points of running runs as they arrive, for every chart of the page from one stream. */

import { type FeedState, openFeed } from "@/api/events";
import { noPoints, numberOf, type Points, type WireValue } from "@/charts/series";

type WireEvent = {
  run_id: string;
  series: { key: string; step: number[]; value: WireValue[]; time: number[] }[];
};
type Batch = Points & { ordinal: number };

const drawEveryMs = 100;
const askAgainMs = 3_000;
/** Beyond this many points a key's oldest batches are let go; the picture is fetched again before that. */
const kept = 20_000;
export const refetchAfter = 4_000;
/** How many runs one stream follows: more make its address longer than servers take. */
export const followedAtMost = 60;

type Options = {
  /** How far each run has come, asked once before its stream begins. */
  ordinals: (runIds: readonly string[]) => Promise<ReadonlyMap<string, number>>;
  onStatus: (runId: string, status: string) => void;
};

/** One run: where its stream began, how far it came, and what it brought. */
type Followed = {
  began: number;
  last: number;
  batches: Map<string, Batch[]>;
  versions: Map<string, number>;
};

export class LiveRuns {
  /** The state of the stream; `ended` while no run is followed. */
  state: FeedState | "ended" = "ended";
  private readonly runs = new Map<string, Followed>();
  private active: readonly string[] = [];
  private keyList: readonly string[] = [];
  private readonly listeners = new Set<() => void>();
  private lastDrawn = 0;
  private scheduled = false;
  private close: (() => void) | null = null;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private round = 0;

  constructor(private readonly options: Options) {}

  /**
   * Follows exactly these runs from now on. Those that were followed before go on where they are, new ones
   * begin with what is logged from now; what ended runs brought stays as long as they are in `shown`.
   */
  follow(active: readonly string[], shown: readonly string[]): void {
    for (const id of this.runs.keys()) if (!shown.includes(id)) this.runs.delete(id);
    const wanted = active.slice(0, followedAtMost);
    if (wanted.join() === this.active.join()) return;
    this.active = wanted;
    void this.begin();
  }

  stop(): void {
    this.round += 1;
    this.active = [];
    clearTimeout(this.retry);
    this.close?.();
    this.close = null;
    this.state = "ended";
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Grows with every batch of the series; 0 before the first. */
  version(runId: string, key: string): number {
    return this.runs.get(runId)?.versions.get(key) ?? 0;
  }

  /** The keys that the streams have brought. */
  keys(): readonly string[] {
    return this.keyList;
  }

  /** The last ordinal that has arrived of each followed run. */
  progress(): ReadonlyMap<string, number> {
    return new Map([...this.runs].map(([id, { last }]) => [id, last]));
  }

  /** The last ordinal of the run that has arrived. */
  last(runId: string): number {
    return this.runs.get(runId)?.last ?? 0;
  }

  /** Where the run's stream began; a picture from before lacks what was logged in between. */
  began(runId: string): number {
    return this.runs.get(runId)?.began ?? 0;
  }

  /** The points of a series that were logged after one ordinal, up to another. */
  points(runId: string, key: string, after: number, upto = Number.POSITIVE_INFINITY): Points {
    const batches = (this.runs.get(runId)?.batches.get(key) ?? []).filter(
      ({ ordinal }) => ordinal > after && ordinal <= upto,
    );
    if (batches.length === 0) return noPoints;
    return {
      step: batches.flatMap(({ step }) => step),
      value: batches.flatMap(({ value }) => value),
      time: batches.flatMap(({ time }) => time),
    };
  }

  private async begin(): Promise<void> {
    this.round += 1;
    const round = this.round;
    clearTimeout(this.retry);
    this.close?.();
    this.close = null;
    if (this.active.length === 0) {
      this.tellState("ended");
      return;
    }
    this.tellState("connecting");
    const fresh = this.active.filter((id) => !this.runs.has(id));
    try {
      const ordinals = fresh.length > 0 ? await this.options.ordinals(fresh) : new Map();
      if (round !== this.round) return;
      for (const id of fresh) {
        const began = ordinals.get(id) ?? 0;
        this.runs.set(id, { began, last: began, batches: new Map(), versions: new Map() });
      }
    } catch {
      if (round !== this.round) return;
      this.tellState("reconnecting");
      this.retry = setTimeout(() => void this.begin(), askAgainMs);
      return;
    }
    const followed = this.active;
    this.close = openFeed({
      path: `/api/v1/metrics/stream?${followed.map((id) => `run_id=${id}`).join("&")}`,
      after: followed.map((id) => `${id}:${this.runs.get(id)?.last ?? 0}`).join(","),
      on: {
        metrics: (data, id) => {
          const event = JSON.parse(data) as WireEvent;
          this.take(event, ordinalIn(id, followed.indexOf(event.run_id)));
        },
        run: (data) => this.takeStatus(JSON.parse(data) as { run_id: string; status: string }),
      },
      onState: (state) => {
        if (round === this.round) this.tellState(state);
      },
    });
  }

  private take({ run_id, series }: WireEvent, ordinal: number): void {
    const run = this.runs.get(run_id);
    if (!run) return;
    run.last = ordinal;
    for (const { key, step, value, time } of series) {
      let list = run.batches.get(key);
      if (!list) {
        list = [];
        run.batches.set(key, list);
        if (!this.keyList.includes(key)) this.keyList = [...this.keyList, key];
      }
      list.push({ step, value: value.map(numberOf), time, ordinal });
      let size = list.reduce((sum, batch) => sum + batch.step.length, 0);
      while (size > kept && list.length > 1) size -= list.shift()?.step.length ?? 0;
      run.versions.set(key, (run.versions.get(key) ?? 0) + 1);
    }
    this.schedule();
  }

  private takeStatus({ run_id, status }: { run_id: string; status: string }): void {
    this.options.onStatus(run_id, status);
    this.schedule();
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

  private tellState(state: LiveRuns["state"]): void {
    this.state = state;
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

/** An event's id says how far all runs were sent: their ordinals in the order asked for, behind a checksum. */
export function ordinalIn(id: string, place: number): number {
  return Number(id.split(".")[place + 1]);
}
