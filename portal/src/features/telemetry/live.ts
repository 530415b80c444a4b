/** The readings of sensors as they arrive, for every chart of the page from one stream. */

import { type FeedState, openFeed } from "@/api/events";
import type { Curve } from "@/charts/axis";
import type { LatePoints } from "@/charts/gaps";
import type { Picture } from "@/charts/series";
import { channelId, type Shown } from "./channels";
import { unconvertedFrom } from "./queries";
import { RollingCurve } from "./rolling";

type WireEvent = {
  sensor_id: string;
  series: {
    signal: string;
    t: number[];
    raw?: (number | null)[];
    physical?: (number | null)[];
    /** How many have arrived, where a slow viewer gets fewer. */
    count?: number;
    /** When the first of them was received, µs since 1970. */
    first_received_at?: number;
    unconverted_at?: Record<string, number[]>;
  }[];
};

/** A signal, and which of its values are shown. */
export type Followed = { id: string; values: Shown };

/** A span of time that is over, in seconds since 1970: what arrives for it now is late. */
export type Over = readonly [from: number, to: number];

type Options = {
  /** What was measured before the stream began, by `keyOf`; between two moments in seconds since 1970. */
  history: (
    channels: readonly Followed[],
    from: number,
    to: number,
  ) => Promise<Map<string, Picture>>;
};

const drawEveryMs = 100;
/** Charts and their words that are told in one frame. */
const perFrame = 8;
/** Between two pictures passes so many times what the last ones took. */
const restShare = 2.5;
/** Without readings the picture still moves on, this often. */
const idleEveryMs = 1_000;
const rateOverMs = 5_000;

/** As many places are remembered of what came late, or was not converted. */
const remembered = 5_000;

type Tracked = {
  values: Shown;
  late: number[];
  unconverted: Map<number, string>;
  curve: RollingCurve;
  received: number;
  /** When batches came and how many readings they had, for the rate. */
  arrivals: [at: number, count: number][];
};

/** Names a curve among those that are kept. */
export function keyOf({ id, values }: Followed): string {
  return `${values} ${id}`;
}

export class LiveSignals {
  state: FeedState | "ended" = "ended";
  /** Grows with every picture; at most ten times a second. */
  version = 0;
  private channels = new Map<string, Tracked>();
  private ids: readonly Followed[] = [];
  /** Capture sessions that have stopped. */
  over: readonly Over[] = [];
  private seconds = 60;
  private newest = 0;
  private newestAt = 0;
  private readonly listeners = new Set<() => void>();
  private scheduled = false;
  private lastDrawn = 0;
  private tookMs = 0;
  private idle: ReturnType<typeof setInterval> | undefined;
  private close: (() => void) | null = null;
  private round = 0;

  constructor(private readonly options: Options) {}

  /** Follows these channels from now on and shows as many seconds of them. */
  follow(channels: readonly Followed[], seconds: number): void {
    this.stop();
    this.ids = channels;
    this.seconds = seconds;
    this.channels = new Map(
      channels.map((one) => [
        keyOf(one),
        {
          values: one.values,
          late: [],
          unconverted: new Map(),
          curve: new RollingCurve(seconds),
          received: 0,
          arrivals: [],
        },
      ]),
    );
    this.newest = 0;
    if (channels.length === 0) return;
    const round = this.round;
    let began = false;
    const sensors = [...new Set(channels.map(({ id }) => id.slice(0, 36)))];
    const kinds = new Set(channels.map(({ values }) => values));
    const asked = kinds.size > 1 ? "both" : [...kinds].join();
    this.close = openFeed({
      path: `/api/v1/telemetry/stream?${sensors.map((id) => `sensor_id=${id}`).join("&")}&values=${asked}`,
      on: { readings: (data) => this.take(JSON.parse(data) as WireEvent) },
      onState: (state) => {
        if (round !== this.round) return;
        this.state = state;
        this.schedule();
        if (state === "open" && !began) {
          began = true;
          void this.seed(round);
        }
      },
    });
    this.idle = setInterval(() => this.schedule(), idleEveryMs);
  }

  stop(): void {
    this.round += 1;
    clearInterval(this.idle);
    this.close?.();
    this.close = null;
    this.state = "ended";
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly getVersion = (): number => this.version;

  /** Where the window ends: the newest reading, moved on by the time since it came. */
  edge(): number {
    const now = performance.now();
    return this.newest === 0 ? Date.now() / 1000 : this.newest + (now - this.newestAt) / 1000;
  }

  curve(of: Followed, edge: number): Curve {
    return this.channels.get(keyOf(of))?.curve.curve(edge) ?? { x: [], y: [] };
  }

  /** What came for a session after it had stopped, in the window that ends at `edge`. */
  late(of: Followed, edge: number): LatePoints | null {
    const found = this.channels.get(keyOf(of))?.late ?? [];
    const inside = found.filter((time) => time >= edge - this.seconds).sort((a, b) => a - b);
    if (inside.length === 0) return null;
    const stretches: [number, number, number][] = [];
    for (const time of inside) {
      const last = stretches.at(-1);
      if (last && time - last[1] < this.seconds / 300) {
        last[1] = time;
        last[2] += 1;
      } else stretches.push([time, time, 1]);
    }
    return { count: inside.length, stretches, places: new Set(inside) };
  }

  /** Why readings have no physical value, by their time. */
  unconverted(of: Followed): ReadonlyMap<number, string> {
    return this.channels.get(keyOf(of))?.unconverted ?? new Map();
  }

  /** How many readings have arrived since the stream began. */
  received(of: Followed): number {
    return this.channels.get(keyOf(of))?.received ?? 0;
  }

  last(of: Followed): { time: number; value: number } | null {
    const curve = this.channels.get(keyOf(of))?.curve;
    const [time, value] = [curve?.last, curve?.lastValue];
    return time === undefined || value === undefined ? null : { time, value };
  }

  /** Readings a second over the last few. */
  rate(of: Followed): number {
    const tracked = this.channels.get(keyOf(of));
    if (!tracked) return 0;
    const since = performance.now() - rateOverMs;
    while (tracked.arrivals[0] && tracked.arrivals[0][0] < since) tracked.arrivals.shift();
    return tracked.arrivals.reduce((sum, [, count]) => sum + count, 0) / (rateOverMs / 1000);
  }

  private async seed(round: number): Promise<void> {
    const now = Date.now() / 1000;
    try {
      const found = await this.options.history(this.ids, now - this.seconds, now + 60);
      if (round !== this.round) return;
      for (const [key, { x, y }] of found) {
        this.channels.get(key)?.curve.begin(x, y);
        const last = x.at(-1);
        if (last !== undefined && last > this.newest) {
          this.newest = last;
          // What stopped a while ago has left a part of the window already.
          this.newestAt = performance.now() - Math.max(0, now - last) * 1000;
        }
      }
      this.schedule();
    } catch {
      // The picture begins with what arrives; the history view says what is wrong with the server.
    }
  }

  private take({ sensor_id, series }: WireEvent): void {
    const now = performance.now();
    const shown = (["physical", "raw"] as const).flatMap((values) =>
      series.map((one) => {
        const key = keyOf({ id: channelId(sensor_id, one.signal), values });
        return { one, tracked: this.channels.get(key) };
      }),
    );
    for (const { one, tracked } of shown) {
      if (!tracked) continue;
      const column = (tracked.values === "physical" ? one.physical : one.raw) ?? [];
      const received = (one.first_received_at ?? 0) / 1e6;
      const over = this.over.filter(([, stop]) => stop < received);
      for (const [index, micros] of one.t.entries()) {
        const value = column[index];
        const time = micros / 1e6;
        tracked.curve.push(time, typeof value === "number" ? value : Number.NaN);
        if (over.some(([from, to]) => time >= from && time < to)) tracked.late.push(time);
      }
      if (tracked.late.length > remembered) tracked.late = tracked.late.slice(-remembered);
      if (tracked.values === "physical" && one.unconverted_at) {
        const seconds = one.t.map((time) => time / 1e6);
        for (const [time, why] of unconvertedFrom(seconds, one.unconverted_at)) {
          tracked.unconverted.set(time, why);
        }
        for (const time of tracked.unconverted.keys()) {
          if (tracked.unconverted.size <= remembered) break;
          tracked.unconverted.delete(time);
        }
      }
      const count = one.count ?? one.t.length;
      tracked.received += count;
      tracked.arrivals.push([now, count]);
      const last = (one.t.at(-1) ?? 0) / 1e6;
      if (last > this.newest) {
        this.newest = last;
        this.newestAt = now;
      }
    }
    this.schedule();
  }

  /**
   * At most ten times a second, less often where the last pictures took long, and only in frames that are
   * painted: a hidden tab draws nothing.
   */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    const pause = Math.max(drawEveryMs, restShare * this.tookMs);
    setTimeout(
      () => {
        requestAnimationFrame(() => {
          this.scheduled = false;
          this.lastDrawn = performance.now();
          this.version += 1;
          this.show([...this.listeners], 0);
        });
      },
      Math.max(0, this.lastDrawn + pause - performance.now()),
    );
  }

  /** Tells the charts a few a frame, so that many of them hold up none. */
  private show(listeners: readonly (() => void)[], tookMs: number): void {
    const began = performance.now();
    for (const listener of listeners.slice(0, perFrame)) listener();
    // React draws when this is over; what that took is known in the next task.
    setTimeout(() => {
      const sum = tookMs + performance.now() - began;
      const rest = listeners.slice(perFrame);
      if (rest.length === 0) this.tookMs = (this.tookMs + sum) / 2;
      else requestAnimationFrame(() => this.show(rest, sum));
    });
  }
}
