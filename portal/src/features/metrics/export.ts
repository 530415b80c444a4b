/** Takes a chart out of the page: the picture as PNG, its points as CSV. */

import type { Axis, Line } from "./axis";

export type Fullness = { shown: number; stored: number; exact: boolean };

/**
 * The points as CSV with a dot as decimal mark. The first line says which part of the data this is; other
 * values than finite ones are written as NaN, Infinity and -Infinity, as pandas reads them.
 */
export function csvOf(
  lines: readonly Line[],
  axis: Axis,
  { shown, stored, exact }: Fullness,
): string {
  const part = exact
    ? `# all ${stored} points`
    : `# ${shown} of ${stored} points, selected so that every minimum and maximum is kept`;
  const head = lines.length > 1 ? `series,${axisColumn(axis)},value` : `${axisColumn(axis)},value`;
  const rows = lines.flatMap(({ label, x, y }) =>
    x.map((place, index) => {
      const at = axis === "time" ? new Date(place * 1000).toISOString() : String(place);
      const point = `${at},${y[index]}`;
      return lines.length > 1 ? `${quoted(label)},${point}` : point;
    }),
  );
  return [part, head, ...rows, ""].join("\n");
}

function axisColumn(axis: Axis): string {
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

/** The chart on its background with its title, as a PNG file. */
export function pngOf(
  canvas: HTMLCanvasElement,
  title: string,
  { text, background }: { text: string; background: string },
): Promise<Blob | null> {
  const ratio = window.devicePixelRatio || 1;
  const head = Math.round(34 * ratio);
  const picture = document.createElement("canvas");
  picture.width = canvas.width;
  picture.height = canvas.height + head;
  const context = picture.getContext("2d");
  if (!context) return Promise.resolve(null);
  context.fillStyle = background;
  context.fillRect(0, 0, picture.width, picture.height);
  context.fillStyle = text;
  context.font = `600 ${14 * ratio}px "IBM Plex Sans Variable", system-ui, sans-serif`;
  context.textBaseline = "middle";
  context.fillText(title, 12 * ratio, head / 2);
  context.drawImage(canvas, 0, head);
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
