/** What all charts of a page have in view: moved in frames, told to the page once it rests. */

import type { Range } from "./axis";

/** Draws itself with what is in view now. */
export type Pane = () => void;

const restsAfterMs = 160;
/** How long panes may take in one frame; those left over are drawn in the next. */
const budgetMs = 9;

/**
 * While somebody drags or turns the wheel nothing but canvases is touched: the pane under the hand is drawn in
 * each frame, the others as the frame's time allows, in turn. Only when the hand rests the page learns of it:
 * then the address changes and finer points are asked for.
 */
export class Viewport {
  private current: Range | null;
  private readonly panes = new Set<Pane>();
  private waiting: Pane[] = [];
  private frame = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  onRest: (range: Range | null) => void = () => undefined;

  constructor(range: Range | null) {
    this.current = range;
  }

  get range(): Range | null {
    return this.current;
  }

  /** Draws `pane` whenever what is in view changes, until the returned function is called. */
  add(pane: Pane): () => void {
    this.panes.add(pane);
    return () => {
      this.panes.delete(pane);
      this.waiting = this.waiting.filter((one) => one !== pane);
    };
  }

  /** Moves the view under somebody's hand; `from` is the pane that the hand is on. */
  move(range: Range | null, from?: Pane): void {
    this.show(range, from);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.onRest(this.current), restsAfterMs);
  }

  /** Moves the view at once, by a choice that is not part of a movement. */
  choose(range: Range | null): void {
    this.show(range);
    clearTimeout(this.timer);
    this.onRest(range);
  }

  /** Takes over what the address says, unless it is what was told to it. */
  follow(range: Range | null): void {
    if (same(range, this.current)) return;
    clearTimeout(this.timer);
    this.show(range);
  }

  private show(range: Range | null, from?: Pane): void {
    this.current = range;
    // Those that still wait from the frame before come first, so that none starves.
    const order = [...this.waiting, ...this.panes].filter((pane) => pane !== from);
    this.waiting = [...new Set(from ? [from, ...order] : order)];
    if (this.frame === 0) this.frame = requestAnimationFrame(this.draw);
  }

  private readonly draw = (): void => {
    this.frame = 0;
    const end = performance.now() + budgetMs;
    let pane = this.waiting.shift();
    while (pane) {
      pane();
      if (performance.now() >= end) break;
      pane = this.waiting.shift();
    }
    if (this.waiting.length > 0) this.frame = requestAnimationFrame(this.draw);
  };
}

/** Equal as far as an address tells them apart. */
export function same(one: Range | null, other: Range | null): boolean {
  if (one === null || other === null) return one === other;
  const slack = Math.abs(one[1] - one[0]) * 1e-6;
  return Math.abs(one[0] - other[0]) <= slack && Math.abs(one[1] - other[1]) <= slack;
}
