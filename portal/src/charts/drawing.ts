/** Lines onto a canvas: clipped, thinned to what pixels can show, with bands, gaps and marks. */

import type { SeriesStyle } from "@/ui/palette";
import { type Curve, indexFrom, type Line, nearestIndex, type Range } from "./axis";
import { envelope } from "./bands";
import { type Gap, gapAt, type LatePoints } from "./gaps";
import type { Read } from "./readings";
import { smoothed } from "./smoothing";

/** A line with everything that drawing it needs. */
export type Drawn = Curve & {
  id: string;
  label: string;
  smooth: number[] | null;
  band: { low: number[]; high: number[] } | null;
  gaps: readonly Gap[];
  /** The first places behind the gaps. */
  breaks: ReadonlySet<number>;
  late: LatePoints | null;
  reasons: ReadonlyMap<number, string> | null;
};

/** More bands than this would hide each other. */
const bandsAtMost = 6;

const known = new WeakMap<Line, { smoothing: number; bands: boolean; drawn: Drawn }>();

/** The lines ready to draw; what has not changed since the last time is not made again. */
export function drawnLines(lines: readonly Line[], smoothing: number): Drawn[] {
  const bands = lines.length <= bandsAtMost;
  return lines.map((line) => {
    const before = known.get(line);
    if (before?.smoothing === smoothing && before.bands === bands) return before.drawn;
    const { id, label, x, y } = line;
    const drawn: Drawn = {
      id,
      label,
      x,
      y,
      smooth: smoothing > 0 ? smoothed(x, y, smoothing) : null,
      band: line.band ?? (line.coarse && bands ? envelope(y) : null),
      gaps: line.gaps ?? [],
      breaks: new Set(line.gaps?.map(([, end]) => end)),
      late: line.late ?? null,
      reasons: line.reasons ?? null,
    };
    known.set(line, { smoothing, bands, drawn });
    return drawn;
  });
}

/** What of a line lies in the range: from its first index to behind its last. */
export function within({ x }: Curve, [from, to]: Range): [number, number] {
  const first = indexFrom(x, from);
  let end = indexFrom(x, to);
  while (end < x.length && (x[end] ?? 0) <= to) end += 1;
  return [first, end];
}

/**
 * The lowest and highest value in view, of what is drawn; `null` where nothing is. Clipped, the most extreme
 * hundredth at either end is left out.
 */
export function heightOf(
  lines: readonly Drawn[],
  range: Range,
  { logY, clip }: { logY: boolean; clip: boolean },
): Range | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  const sample: number[] = [];
  const take = (value: number) => {
    if (!Number.isFinite(value) || (logY && value <= 0)) return;
    if (value < low) low = value;
    if (value > high) high = value;
  };
  for (const line of lines) {
    const [first, end] = within(line, range);
    const stride = Math.max(1, Math.floor((end - first) / 400));
    for (let index = first; index < end; index++) {
      const value = line.y[index] ?? Number.NaN;
      take(value);
      if (clip && index % stride === 0 && Number.isFinite(value) && !(logY && value <= 0)) {
        sample.push(value);
      }
      if (line.band && !clip) {
        take(line.band.low[index] ?? Number.NaN);
        take(line.band.high[index] ?? Number.NaN);
      }
    }
  }
  if (clip && sample.length >= 10) {
    sample.sort((a, b) => a - b);
    const at = (share: number) => sample[Math.round((sample.length - 1) * share)] ?? Number.NaN;
    return [at(0.01), at(0.99)];
  }
  return low <= high ? [low, high] : null;
}

/** Where values lie on the canvas, in device pixels. */
export type Frame = {
  left: number;
  top: number;
  width: number;
  height: number;
  x: Range;
  y: Range;
  logX: boolean;
  logY: boolean;
  ratio: number;
};

function place(low: number, high: number, begin: number, size: number, log: boolean) {
  if (log) {
    const first = Math.log10(low);
    const scale = size / (Math.log10(high) - first);
    return (value: number) => begin + (Math.log10(value) - first) * scale;
  }
  const scale = size / (high - low);
  return (value: number) => begin + (value - low) * scale;
}

export function placesOf({ left, top, width, height, x, y, logX, logY }: Frame) {
  return {
    toX: place(x[0], x[1], left, width, logX),
    toY: place(y[0], y[1], top + height, -height, logY),
  };
}

/** Draws a band behind its line. */
export function paintBand(
  context: CanvasRenderingContext2D,
  { x }: Curve,
  { low, high }: { low: number[]; high: number[] },
  frame: Frame,
  { color, alpha, breaks }: { color: string; alpha: number; breaks?: ReadonlySet<number> },
): void {
  const { toX, toY } = placesOf(frame);
  const [from, to] = around(x, frame);
  const joined = (place = 0) => !breaks?.has(place);
  context.save();
  context.globalAlpha = alpha;
  context.fillStyle = color;
  const bottom = (value: number) => (frame.logY && value <= 0 ? frame.y[0] : value);
  let index = from;
  while (index < to) {
    while (index < to && !Number.isFinite(high[index])) index += 1;
    const begin = index;
    context.beginPath();
    for (
      ;
      index < to && Number.isFinite(high[index]) && (index === begin || joined(x[index]));
      index++
    ) {
      context.lineTo(toX(x[index] ?? 0), toY(high[index] ?? 0));
    }
    for (let back = index - 1; back >= begin; back--) {
      context.lineTo(toX(x[back] ?? 0), toY(bottom(low[back] ?? 0)));
    }
    context.fill();
  }
  context.restore();
}

type Pen = SeriesStyle & {
  width: number;
  alpha: number;
  dots: boolean;
  /** Places that no line leads to from the one before. */
  breaks?: ReadonlySet<number>;
};

/** Draws one column of values as a line with gaps; where many share a pixel's width, their extremes. */
export function paintLine(
  context: CanvasRenderingContext2D,
  x: readonly number[],
  y: readonly number[],
  frame: Frame,
  pen: Pen,
): void {
  const { toX, toY } = placesOf(frame);
  const { ratio, logY } = frame;
  const [from, to] = around(x, frame);
  const breaks = pen.breaks?.size ? pen.breaks : null;
  const crowded = to - from > (frame.width / ratio) * 3;
  const dots = pen.dots && to - from <= 80 && (to - from) * 8 * ratio < frame.width;
  context.save();
  context.globalAlpha = pen.alpha;
  context.strokeStyle = context.fillStyle = pen.color;
  context.lineWidth = pen.width * ratio;
  // Round corners cost most of the time where there are many, and nobody sees them.
  context.lineJoin = to - from > 200 ? "bevel" : "round";
  context.setLineDash(pen.dash.map((part) => part * ratio));
  context.beginPath();
  let open = false;
  let column = Number.NaN;
  let [least, most, last] = [0, 0, 0];
  const alone: [number, number][] = [];
  let before: [number, number] | null = null;
  const flush = () => {
    if (Number.isNaN(column)) return;
    if (least !== last) context.lineTo(column, least);
    if (most !== last) context.lineTo(column, most);
    context.lineTo(column, last);
    column = Number.NaN;
  };
  for (let index = from; index < to; index++) {
    const value = y[index] ?? Number.NaN;
    const unseen = !Number.isFinite(value) || (logY && value <= 0);
    if (unseen || (breaks && open && breaks.has(x[index] ?? 0))) {
      flush();
      if (before) alone.push(before);
      before = null;
      open = false;
      if (unseen) continue;
    }
    const here = toX(x[index] ?? 0);
    const level = toY(value);
    if (!open) {
      context.moveTo(here, level);
      open = true;
      before = [here, level];
      column = Number.NaN;
    } else {
      before = null;
      if (!crowded) context.lineTo(here, level);
    }
    if (crowded) {
      const pixel = Math.round(here);
      if (pixel === column) {
        if (level < least) least = level;
        if (level > most) most = level;
        last = level;
      } else {
        flush();
        column = pixel;
        least = most = last = level;
        context.lineTo(pixel, level);
      }
    }
    if (dots) alone.push([here, level]);
  }
  flush();
  if (before) alone.push(before);
  context.stroke();
  const radius = (dots ? 2.25 : 1.75) * ratio;
  for (const [here, level] of alone) {
    context.beginPath();
    context.arc(here, level, radius, 0, 2 * Math.PI);
    context.fill();
  }
  context.restore();
}

/** The points in view and one beyond each side, so that the line reaches the edges. */
function around(x: readonly number[], frame: Frame): [number, number] {
  const [first, end] = within({ x: x as number[], y: [] }, frame.x);
  const least = frame.logX ? indexFrom(x, Number.MIN_VALUE) : 0;
  return [Math.max(least, first - 1), Math.min(x.length, end + 1)];
}

/** Shades where a line has no data. */
export function paintGaps(
  context: CanvasRenderingContext2D,
  gaps: readonly Gap[],
  frame: Frame,
  { color, alpha }: { color: string; alpha: number },
): void {
  const { toX } = placesOf(frame);
  context.save();
  context.globalAlpha = alpha;
  context.fillStyle = color;
  for (const [from, to] of gaps) {
    if (to < frame.x[0] || from > frame.x[1]) continue;
    const left = Math.max(frame.left, toX(from));
    const right = Math.min(frame.left + frame.width, toX(to));
    context.fillRect(left, frame.top, Math.max(1, right - left), frame.height);
  }
  context.restore();
}

/** More late points in view than this are told by the strip below alone. */
const lateAtMost = 200;

/** What came late: a strip along the bottom where it lies, and each point while they are few. */
export function paintLate(
  context: CanvasRenderingContext2D,
  { x, y, late }: Drawn,
  frame: Frame,
  color: string,
): void {
  if (!late || late.count === 0) return;
  const { toX, toY } = placesOf(frame);
  const { ratio, top, height } = frame;
  context.save();
  context.fillStyle = context.strokeStyle = color;
  for (const [from, to] of late.stretches) {
    if (to < frame.x[0] || from > frame.x[1]) continue;
    const left = toX(from);
    const thick = 5 * ratio;
    context.fillRect(left - ratio, top + height - thick, toX(to) - left + 2 * ratio, thick);
  }
  const [first, end] = within({ x, y }, frame.x);
  const size = 3.5 * ratio;
  context.lineWidth = 1.5 * ratio;
  if (end - first <= lateAtMost * 5) {
    const points: [number, number][] = [];
    for (let index = first; index < end && points.length <= lateAtMost; index++) {
      const [place, value] = [x[index] ?? 0, y[index] ?? Number.NaN];
      if (Number.isFinite(value) && late.places.has(place)) points.push([toX(place), toY(value)]);
    }
    if (points.length <= lateAtMost) {
      for (const [left, level] of points) {
        context.beginPath();
        context.moveTo(left, level - size);
        context.lineTo(left + size, level);
        context.lineTo(left, level + size);
        context.lineTo(left - size, level);
        context.closePath();
        context.stroke();
      }
    }
  }
  context.restore();
}

/** NaN as a cross and infinities as arrows on the plot's edge, where the line has its gap. */
export function paintMarks(
  context: CanvasRenderingContext2D,
  { x, y, reasons }: Curve & { reasons?: ReadonlyMap<number, string> | null },
  frame: Frame,
  color: string,
): void {
  const { toX } = placesOf(frame);
  const [from, to] = within({ x, y }, frame.x);
  const size = 4 * frame.ratio;
  let drawn = Number.NEGATIVE_INFINITY;
  context.save();
  context.lineWidth = 1.75 * frame.ratio;
  context.strokeStyle = context.fillStyle = color;
  for (let index = from; index < to; index++) {
    const value = y[index] ?? 0;
    if (Number.isFinite(value)) continue;
    const left = toX(x[index] ?? 0);
    // Marks that would stand in one place are drawn once.
    if (left - drawn < size) continue;
    drawn = left;
    const up = value > 0;
    const top = up ? frame.top + size * 1.5 : frame.top + frame.height - size * 1.5;
    context.beginPath();
    if (reasons?.has(x[index] ?? 0)) {
      context.arc(left, top, size, 0, 2 * Math.PI);
      context.moveTo(left - size * 0.7, top + size * 0.7);
      context.lineTo(left + size * 0.7, top - size * 0.7);
      context.stroke();
    } else if (Number.isNaN(value)) {
      context.moveTo(left - size, top - size);
      context.lineTo(left + size, top + size);
      context.moveTo(left + size, top - size);
      context.lineTo(left - size, top + size);
      context.stroke();
    } else {
      const tip = up ? -size : size;
      context.moveTo(left, top + tip);
      context.lineTo(left - size, top - tip);
      context.lineTo(left + size, top - tip);
      context.closePath();
      context.fill();
    }
  }
  context.restore();
}

/** The ends of what is measured, with their letters, and the time between them lightly shaded. */
export function paintRuler(
  context: CanvasRenderingContext2D,
  [a, b]: Range,
  frame: Frame,
  { text, background, font }: { text: string; background: string; font: string },
): void {
  const { toX } = placesOf(frame);
  const { ratio, top, height } = frame;
  const [left, right] = [toX(Math.min(a, b)), toX(Math.max(a, b))];
  context.save();
  context.fillStyle = text;
  context.globalAlpha = 0.1;
  context.fillRect(left, top, right - left, height);
  context.globalAlpha = 1;
  context.font = font;
  context.textAlign = "center";
  context.textBaseline = "middle";
  const size = 15 * ratio;
  for (const [letter, place] of [["A", a] as const, ["B", b] as const]) {
    const at = Math.round(toX(place));
    context.fillStyle = text;
    context.fillRect(at - ratio / 2, top, ratio, height);
    context.fillRect(at - size / 2, top, size, size);
    context.fillStyle = background;
    context.fillText(letter, at, top + size / 2);
  }
  context.restore();
}

type Label = { label: string; color: string; y: number };

/** Where each line ends in view, moved apart where the names would cover each other. */
export function endLabels(
  lines: readonly { label: string; color: string; x: number[]; y: number[] }[],
  frame: Frame,
): Label[] {
  const { toY } = placesOf(frame);
  const labels = lines.flatMap(({ label, color, x, y }) => {
    const [first, end] = within({ x, y }, frame.x);
    for (let index = end - 1; index >= first; index--) {
      const value = y[index] ?? Number.NaN;
      if (Number.isFinite(value) && !(frame.logY && value <= 0)) {
        const level = Math.min(Math.max(toY(value), frame.top), frame.top + frame.height);
        return [{ label, color, y: level }];
      }
    }
    return [];
  });
  labels.sort((a, b) => a.y - b.y);
  const height = 13 * frame.ratio;
  for (let index = 1; index < labels.length; index++) {
    const [above, own] = [labels[index - 1], labels[index]];
    if (above && own) own.y = Math.max(own.y, above.y + height);
  }
  // What has been pushed out below comes back, and pushes the others up.
  let lowest = frame.top + frame.height;
  for (const label of labels.toReversed()) {
    label.y = Math.min(label.y, lowest);
    lowest = label.y - height;
  }
  return labels;
}

/** What a line says at a place: its nearest point, unless that is further away than `reach`. */
export function readAt(line: Drawn, at: number, reach: number): Read | null {
  const gap = line.gaps.length > 0 ? gapAt(line.gaps, at) : null;
  if (gap) {
    const nothing = { raw: Number.NaN, smooth: null, low: null, high: null };
    return { x: at, gap: gap[1] - gap[0], ...nothing };
  }
  const index = nearestIndex(line.x, at);
  const x = line.x[index];
  if (index < 0 || x === undefined) return null;
  const between = at >= (line.x[0] ?? 0) && at <= (line.x.at(-1) ?? 0);
  if (!between && Math.abs(x - at) > reach) return null;
  return {
    x,
    raw: line.y[index] ?? Number.NaN,
    smooth: line.smooth?.[index] ?? null,
    low: line.band?.low[index] ?? null,
    high: line.band?.high[index] ?? null,
    ...(line.late?.places.has(x) ? { late: true } : {}),
    ...(line.reasons?.has(x) ? { reason: line.reasons.get(x) } : {}),
  };
}

/** The next place to the right (or left) of `at` where any line has a point, inside the range. */
export function neighbour(
  lines: readonly Curve[],
  at: number,
  direction: 1 | -1,
  [from, to]: Range,
): number | null {
  let found: number | null = null;
  for (const { x } of lines) {
    let index = indexFrom(x, at);
    if (direction === 1) while (index < x.length && (x[index] ?? 0) <= at) index += 1;
    else index -= 1;
    const place = x[index];
    if (place === undefined || place < from || place > to) continue;
    if (found === null || (direction === 1 ? place < found : place > found)) found = place;
  }
  return found;
}
