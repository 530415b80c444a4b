/** The last seconds of a signal, never more points than a chart can show. */

import { type Curve, indexFrom } from "@/charts/axis";

/** How many stretches a window is divided into; of a crowded one its extremes are kept. */
const stretches = 1500;
const crowdedFrom = 4;

export class RollingCurve {
  private readonly x: number[] = [];
  private readonly y: number[] = [];
  /** Where what is still in the window begins. */
  private head = 0;
  /** Where the stretch begins that may still grow. */
  private openFrom = 0;
  private open = Number.NEGATIVE_INFINITY;
  private readonly width: number;

  /** @param seconds how much time is kept. */
  constructor(private readonly seconds: number) {
    this.width = seconds / stretches;
  }

  get first(): number | undefined {
    return this.x[this.head];
  }

  get last(): number | undefined {
    return this.x.length > this.head ? this.x.at(-1) : undefined;
  }

  get lastValue(): number | undefined {
    return this.x.length > this.head ? this.y.at(-1) : undefined;
  }

  /** Takes a reading, at `time` in seconds since 1970; one that comes late finds its place. */
  push(time: number, value: number): void {
    const last = this.last;
    if (last !== undefined && time < last) {
      this.insert(time, value);
      return;
    }
    const stretch = Math.floor(time / this.width);
    if (stretch !== this.open) {
      this.close();
      this.open = stretch;
      this.openFrom = this.x.length;
    }
    this.x.push(time);
    this.y.push(value);
  }

  /** What was known before the first reading here. */
  begin(x: readonly number[], y: readonly number[]): void {
    const end = this.first === undefined ? x.length : indexFrom(x, this.first);
    this.x.splice(0, this.head, ...x.slice(0, end));
    this.y.splice(0, this.head, ...y.slice(0, end));
    this.openFrom += end - this.head;
    this.head = 0;
  }

  /** The points of the window that ends at `edge`, in columns of their own. */
  curve(edge: number): Curve {
    const from = edge - this.seconds;
    while (this.head < this.x.length && (this.x[this.head] ?? 0) < from) this.head += 1;
    if (this.head > 2 * stretches) {
      this.x.splice(0, this.head);
      this.y.splice(0, this.head);
      this.openFrom -= this.head;
      this.head = 0;
    }
    return { x: this.x.slice(this.head), y: this.y.slice(this.head) };
  }

  private insert(time: number, value: number): void {
    if (time < (this.last ?? time) - this.seconds) return;
    const at = Math.max(this.head, indexFrom(this.x, time));
    this.x.splice(at, 0, time);
    this.y.splice(at, 0, value);
    if (at < this.openFrom) this.openFrom += 1;
  }

  /** Of a stretch that is over its lowest and highest value stay, in their order, and a gap. */
  private close(): void {
    if (this.x.length - this.openFrom <= crowdedFrom) return;
    let low = -1;
    let high = -1;
    let gap = -1;
    for (let index = this.openFrom; index < this.x.length; index++) {
      const value = this.y[index] ?? Number.NaN;
      if (Number.isNaN(value)) gap = index;
      else {
        if (low < 0 || value < (this.y[low] ?? 0)) low = index;
        if (high < 0 || value > (this.y[high] ?? 0)) high = index;
      }
    }
    const kept = [...new Set([low, high, gap])].filter((index) => index >= 0).sort((a, b) => a - b);
    const points = kept.map((index) => [this.x[index] ?? 0, this.y[index] ?? Number.NaN] as const);
    this.x.length = this.openFrom;
    this.y.length = this.openFrom;
    for (const [time, value] of points) {
      this.x.push(time);
      this.y.push(value);
    }
  }
}
