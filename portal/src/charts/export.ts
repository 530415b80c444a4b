/** Takes a chart out of the page: the picture as PNG, its points as CSV. */

import type { Axis, Line } from "./axis";

export type Fullness = { shown: number; stored: number; exact: boolean };

/**
 * The points as CSV with a dot as decimal mark. The first line says which part of the data this is; other
 * values than finite ones are written as NaN, Infinity and -Infinity, as pandas reads them. Lines of several
 * runs or metrics are told apart by columns of their own.
 */
export function csvOf(
  lines: readonly Line[],
  axis: Axis,
  { shown, stored, exact }: Fullness,
): string {
  const banded = lines.some(({ band }) => band);
  const part = banded
    ? `# the mean of groups of runs in stretches of the axis, over ${stored} points`
    : exact
      ? `# all ${stored} points`
      : `# ${shown} of ${stored} points, selected so that every minimum and maximum is kept`;
  const runs = new Set(lines.map(({ run }) => run?.id)).size > 1;
  const metrics = new Set(lines.map(({ metric, label }) => metric ?? label)).size > 1;
  const names = (line: Line): string[] => {
    if (banded) return [line.label];
    const own = [];
    if (runs) own.push(line.run?.name ?? "", line.run?.id ?? "");
    if (metrics) own.push(line.metric ?? line.label);
    return own;
  };
  const heads = banded
    ? ["group"]
    : [...(runs ? ["run", "run_id"] : []), ...(metrics ? ["metric"] : [])];
  const values = banded ? ["mean", "low", "high"] : ["value"];
  const rows = lines.flatMap((line) => {
    const begin = names(line).map((name) => `${quoted(name)},`);
    return line.x.map((place, index) => {
      const at = axis === "time" ? new Date(place * 1000).toISOString() : String(place);
      const around = banded
        ? `,${line.band?.low[index] ?? ""},${line.band?.high[index] ?? ""}`
        : "";
      return `${begin.join("")}${at},${line.y[index]}${around}`;
    });
  });
  return [part, [...heads, axisColumn(axis), ...values].join(","), ...rows, ""].join("\n");
}

function axisColumn(axis: Axis): string {
  if (axis === "value") return "raw";
  return axis === "relative" ? "seconds" : axis;
}

function quoted(text: string): string {
  // A leading sign would be run as a formula by spreadsheets.
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function fileName(title: string, ending: string): string {
  const base = title.replaceAll(/[^\p{L}\p{N}._-]+/gu, "-").replaceAll(/^-+|-+$/g, "") || "chart";
  return `${base}.${ending}`;
}

type Entry = { label: string; color: string; dash: readonly number[] };
type Ink = { text: string; background: string };

/** The chart on its background with its title, and whose line is whose where there are several, as a PNG file. */
export function pngOf(
  canvas: HTMLCanvasElement,
  title: string,
  legend: readonly Entry[],
  { text, background }: Ink,
): Promise<Blob | null> {
  const ratio = window.devicePixelRatio || 1;
  const head = Math.round(34 * ratio);
  const picture = document.createElement("canvas");
  const context = picture.getContext("2d");
  if (!context) return Promise.resolve(null);
  const font = (weight: number, size: number) =>
    `${weight} ${size * ratio}px "IBM Plex Sans Variable", system-ui, sans-serif`;
  const row = Math.round(18 * ratio);
  const gap = 12 * ratio;
  const sample = 22 * ratio;
  context.font = font(400, 11);
  let [left, line] = [gap, 0];
  const places = legend.map((entry) => {
    const width = sample + 6 * ratio + context.measureText(entry.label).width + gap;
    if (left + width > canvas.width && left > gap) {
      left = gap;
      line += 1;
    }
    const here = { entry, left, top: line * row };
    left += width;
    return here;
  });
  picture.width = canvas.width;
  picture.height = canvas.height + head + (legend.length > 0 ? (line + 1) * row + gap : 0);
  context.fillStyle = background;
  context.fillRect(0, 0, picture.width, picture.height);
  context.fillStyle = text;
  context.textBaseline = "middle";
  context.font = font(600, 14);
  context.fillText(title, gap, head / 2);
  context.drawImage(canvas, 0, head);
  context.font = font(400, 11);
  context.lineWidth = 2.25 * ratio;
  for (const { entry, left: at, top } of places) {
    const level = head + canvas.height + top + row / 2;
    context.strokeStyle = entry.color;
    context.setLineDash(entry.dash.map((part) => part * ratio));
    context.beginPath();
    context.moveTo(at, level);
    context.lineTo(at + sample, level);
    context.stroke();
    context.fillText(entry.label, at + sample + 6 * ratio, level);
  }
  return new Promise((resolve) => picture.toBlob(resolve, "image/png"));
}

export function download(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser reads the address after the click has returned.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Lets the browser fetch a file that the server makes. */
export function fetchFile(address: string): void {
  const link = document.createElement("a");
  link.href = address;
  link.download = "";
  link.click();
}
