/** Lines as uPlot wants them: one x column, gaps as null, what cannot be drawn set aside. */

import uPlot from "uplot";
import type { Line } from "./axis";
import { smoothed } from "./smoothing";

export type Mark = { x: number; kind: "nan" | "up" | "down"; line: number };

export type Drawing = {
  /** x, then for each line its raw column and, when smoothing, its smoothed one. */
  columns: uPlot.AlignedData;
  marks: Mark[];
  /** Points that a logarithmic axis cannot show. */
  notPositive: number;
};

export function drawingOf(lines: readonly Line[], smoothing: number, logY: boolean): Drawing {
  const marks: Mark[] = [];
  let notPositive = 0;
  const tables = lines.map(({ x, y }, line): uPlot.AlignedData => {
    const drawable = (value: number) => Number.isFinite(value) && (!logY || value > 0);
    const raw = y.map((value, index) => {
      if (Number.isFinite(value)) {
        if (drawable(value)) return value;
        notPositive += 1;
        return null;
      }
      marks.push({ x: x[index] ?? 0, kind: kindOf(value), line });
      return null;
    });
    if (smoothing <= 0) return [x, raw];
    const average = smoothed(x, y, smoothing).map((value) => (drawable(value) ? value : null));
    return [x, raw, average];
  });
  const [only] = tables;
  const columns = tables.length === 1 && only ? only : uPlot.join(tables);
  return { columns, marks, notPositive };
}

function kindOf(value: number): Mark["kind"] {
  if (Number.isNaN(value)) return "nan";
  return value > 0 ? "up" : "down";
}

type Ink = { text: string; background: string; font: string };

/** The name of each line at its last point in view, moved apart where they would cover each other. */
export function drawEndLabels(
  u: uPlot,
  lines: readonly { label: string; color: string; column: number; shown: boolean }[],
  { background, font }: Ink,
): void {
  const { ctx } = u;
  const ratio = uPlot.pxRatio;
  const right = u.bbox.left + u.bbox.width;
  const labels = lines
    .filter(({ shown }) => shown)
    .flatMap(({ label, color, column }) => {
      const values = u.data[column] ?? [];
      const [first, last] = u.series[column]?.idxs ?? [0, 0];
      for (let index = last; index >= first; index--) {
        const value = values[index];
        if (value != null) return [{ label, color, y: u.valToPos(value, "y", true) }];
      }
      return [];
    })
    .sort((a, b) => a.y - b.y);
  const height = 13 * ratio;
  for (let index = 1; index < labels.length; index++) {
    const [above, own] = [labels[index - 1], labels[index]];
    if (above && own) own.y = Math.max(own.y, above.y + height);
  }
  ctx.save();
  ctx.font = font;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  for (const { label, color, y } of labels) {
    ctx.lineWidth = 3 * ratio;
    ctx.strokeStyle = background;
    ctx.strokeText(label, right + 6 * ratio, y);
    ctx.fillStyle = color;
    ctx.fillText(label, right + 6 * ratio, y);
  }
  ctx.restore();
}

/** NaN as a cross and infinities as arrows on the plot's edge, where the line has its gap. */
export function drawMarks(
  u: uPlot,
  marks: readonly Mark[],
  colorOf: (line: number) => string,
): void {
  const { ctx } = u;
  const size = 4 * uPlot.pxRatio;
  const { min, max } = u.scales.x ?? {};
  ctx.save();
  ctx.lineWidth = 1.75 * uPlot.pxRatio;
  for (const { x, kind, line } of marks) {
    if (x < (min ?? x) || x > (max ?? x)) continue;
    const left = u.valToPos(x, "x", true);
    const top = kind === "up" ? u.bbox.top + size * 1.5 : u.bbox.top + u.bbox.height - size * 1.5;
    ctx.strokeStyle = ctx.fillStyle = colorOf(line);
    ctx.beginPath();
    if (kind === "nan") {
      ctx.moveTo(left - size, top - size);
      ctx.lineTo(left + size, top + size);
      ctx.moveTo(left + size, top - size);
      ctx.lineTo(left - size, top + size);
      ctx.stroke();
    } else {
      const tip = kind === "up" ? -size : size;
      ctx.moveTo(left, top + tip);
      ctx.lineTo(left - size, top - tip);
      ctx.lineTo(left + size, top - tip);
      ctx.closePath();
      ctx.fill();
    }
  }
  ctx.restore();
}
