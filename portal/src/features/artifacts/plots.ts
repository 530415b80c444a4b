/**
 * Figures that other libraries wrote as JSON. Their own libraries weigh a megabyte and more and read code out
 * of what they draw, so the plain ones are drawn here from their numbers, and of all others the data are shown.
 */

export type Trace = {
  name: string;
  mode: "line" | "points" | "bars";
  x: number[];
  /** NaN and infinities are gaps. */
  y: number[];
};

export type DrawnPlot = {
  title: string;
  xTitle: string;
  yTitle: string;
  /** Names in place of numbers along the first axis. */
  categories: string[] | null;
  traces: Trace[];
};

export type Plot = { library: "Plotly" | "Vega" | "Vega-Lite"; drawn: DrawnPlot | null };

type Loose = Record<string, unknown>;

const tracesAtMost = 50;
const pointsAtMost = 200_000;

export function plotOf(value: unknown): Plot | null {
  if (!isObject(value)) return null;
  const schema = typeof value.$schema === "string" ? value.$schema : "";
  if (schema.includes("/vega-lite/")) return { library: "Vega-Lite", drawn: null };
  if (schema.includes("/vega/")) return { library: "Vega", drawn: null };
  if (!Array.isArray(value.data) || !isObject(value.layout)) return null;
  return { library: "Plotly", drawn: drawnPlotly(value.data, value.layout) };
}

function drawnPlotly(data: unknown[], layout: Loose): DrawnPlot | null {
  if (data.length === 0 || data.length > tracesAtMost || !data.every(isObject)) return null;
  const columns = data.map((trace) => ({
    x: columnOf(trace.x),
    y: columnOf(trace.y),
    mode: modeOf(trace),
    name: typeof trace.name === "string" ? trace.name : "",
  }));
  let total = 0;
  for (const { x, y, mode } of columns) {
    if (mode === null || !y) return null;
    total += y.length;
    if (x && x.length !== y.length) return null;
  }
  if (total === 0 || total > pointsAtMost) return null;
  const named = columns.some(({ x }) => x?.some((one) => typeof one === "string"));
  const days = named && columns.every(({ x }) => !x || x.every(isTime));
  const categories = new Map<string, number>();
  const place = (one: unknown, index: number): number => {
    if (one === undefined) return index;
    if (days) return Date.parse(String(one));
    if (!named) return numberOf(one);
    const name = String(one);
    const known = categories.get(name) ?? categories.size;
    categories.set(name, known);
    return known;
  };
  const traces = columns.map(({ x, y, mode, name }, at) => ({
    name: name || `${at + 1}`,
    mode: mode ?? "line",
    x: (y ?? []).map((_, index) => place(x?.[index], index)),
    y: (y ?? []).map(numberOf),
  }));
  return {
    title: titleOf(layout.title),
    xTitle: isObject(layout.xaxis) ? titleOf(layout.xaxis.title) : "",
    yTitle: isObject(layout.yaxis) ? titleOf(layout.yaxis.title) : "",
    // Times are told apart by their order alone: the axis of this drawing has numbers or names.
    categories: named && !days ? [...categories.keys()] : days ? [] : null,
    traces,
  };
}

function modeOf(trace: Loose): Trace["mode"] | null {
  if (trace.type === "bar") return trace.orientation === "h" ? null : "bars";
  if (trace.type !== undefined && trace.type !== "scatter" && trace.type !== "scattergl")
    return null;
  return typeof trace.mode === "string" && !trace.mode.includes("lines") ? "points" : "line";
}

/** Plotly writes a column as a list, or since version 6 packed as base64 with the type of its numbers. */
function columnOf(column: unknown): unknown[] | null {
  if (Array.isArray(column)) return column;
  if (!isObject(column) || typeof column.bdata !== "string") return null;
  const Numbers = packed[String(column.dtype)];
  if (!Numbers) return null;
  try {
    const bytes = Uint8Array.from(atob(column.bdata), (one) => one.charCodeAt(0));
    return Array.from(new Numbers(bytes.buffer), Number);
  } catch {
    return null;
  }
}

type Packed = new (bytes: ArrayBuffer) => ArrayLike<number>;

const packed: Record<string, Packed | undefined> = {
  i1: Int8Array,
  u1: Uint8Array,
  i2: Int16Array,
  u2: Uint16Array,
  i4: Int32Array,
  u4: Uint32Array,
  f4: Float32Array,
  f8: Float64Array,
};

function numberOf(value: unknown): number {
  return value === null || value === "" || typeof value === "object" ? Number.NaN : Number(value);
}

function isTime(value: unknown): boolean {
  return (
    typeof value === "string" && /^\d{4}-\d\d-\d\d/.test(value) && !Number.isNaN(Date.parse(value))
  );
}

function titleOf(title: unknown): string {
  if (typeof title === "string") return title;
  return isObject(title) && typeof title.text === "string" ? title.text : "";
}

function isObject(value: unknown): value is Loose {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
