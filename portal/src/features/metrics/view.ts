/** How charts are looked at. All of it stands in the address, so that a link shows the same picture. */

import * as v from "valibot";
import { axes, type PointAxis, type Range } from "@/charts/axis";
import { type BandKind, bandKinds } from "@/charts/bands";

export type ChartView = {
  axis: PointAxis;
  logX: boolean;
  logY: boolean;
  /** 0 … 0.99, see `smoothed`. */
  smoothing: number;
  /** What is zoomed into; `null` is everything, and follows a live run. */
  zoom: Range | null;
  /** Which metrics are shown, by a part of their key. */
  filter: string;
  /** Metrics drawn into another one's panel, by the key of that panel. */
  overlays: Record<string, string[]>;
  /** Whether the vertical axis leaves out the most extreme hundredth at either end. */
  clip: boolean;
  /** What surrounds the mean of a group of runs. */
  band: BandKind;
  /** Vertical ranges chosen by hand, by the key of the panel. */
  heights: Record<string, Range>;
  /** The panels chosen where there are too many metrics for all. */
  added: string[];
  /** The one run or group that is drawn alone. */
  only: string | null;
};

const number = String.raw`[-+]?[\d.]+(?:e[-+]?\d+)?`;
const optional = <Schema extends v.GenericSchema>(schema: Schema) =>
  v.optional(v.fallback(v.optional(schema), undefined));
const range = v.pipe(v.string(), v.regex(new RegExp(`^${number}\\.\\.${number}$`, "i")));

/** The search parameters of a page with charts; what cannot be read is left out. */
export const chartSearch = {
  axis: optional(v.picklist(axes)),
  logx: optional(v.boolean()),
  log: optional(v.boolean()),
  smooth: optional(v.pipe(v.number(), v.minValue(0), v.maxValue(0.99))),
  zoom: optional(range),
  metric: optional(v.string()),
  with: optional(v.record(v.string(), v.array(v.string()))),
  clip: optional(v.boolean()),
  band: optional(v.picklist(bandKinds)),
  y: optional(v.record(v.string(), range)),
  add: optional(v.array(v.string())),
  only: optional(v.string()),
};

const schema = v.object(chartSearch);
export type ChartSearch = v.InferOutput<typeof schema>;

/** A state as an address or a saved view keeps it, whoever wrote it. */
export function viewIn(state: Readonly<Record<string, unknown>>): ChartView {
  return viewFrom(v.parse(schema, state));
}

export function viewFrom(search: ChartSearch): ChartView {
  const axis = search.axis ?? "step";
  const heights = Object.entries(search.y ?? {}).flatMap(([key, text]) => {
    const found = rangeFrom(text);
    return found ? [[key, found] as const] : [];
  });
  return {
    axis,
    logX: axis !== "time" && (search.logx ?? false),
    logY: search.log ?? false,
    smoothing: search.smooth ?? 0,
    zoom: rangeFrom(search.zoom),
    filter: search.metric ?? "",
    overlays: search.with ?? {},
    clip: search.clip ?? false,
    band: search.band ?? "std",
    heights: Object.fromEntries(heights),
    added: search.add ?? [],
    only: search.only ?? null,
  };
}

/** The address' share of a view; what is as usual is left out of it. */
export function searchFrom(view: ChartView): ChartSearch {
  const overlays = Object.entries(view.overlays).filter(([, keys]) => keys.length > 0);
  const heights = Object.entries(view.heights).map(([key, height]) => [key, textOf(height)]);
  return {
    axis: view.axis === "step" ? undefined : view.axis,
    logx: view.logX || undefined,
    log: view.logY || undefined,
    smooth: view.smoothing || undefined,
    zoom: view.zoom ? textOf(view.zoom) : undefined,
    metric: view.filter || undefined,
    with: overlays.length > 0 ? Object.fromEntries(overlays) : undefined,
    clip: view.clip || undefined,
    band: view.band === "std" ? undefined : view.band,
    y: heights.length > 0 ? Object.fromEntries(heights) : undefined,
    add: view.added.length > 0 ? view.added : undefined,
    only: view.only ?? undefined,
  };
}

function rangeFrom(text: string | undefined): Range | null {
  const [from, to] = (text ?? "").split("..").map(Number);
  if (from === undefined || to === undefined) return null;
  return Number.isFinite(from) && Number.isFinite(to) && from < to ? [from, to] : null;
}

function textOf([from, to]: Range): string {
  return `${short(from)}..${short(to)}`;
}

function short(place: number): string {
  return String(Number(place.toPrecision(13)));
}

/** Whether a key matches what was typed: as a regular expression, or word for word where it is none. */
export function matcher(filter: string): (key: string) => boolean {
  if (!filter) return () => true;
  try {
    const pattern = new RegExp(filter, "i");
    return (key) => pattern.test(key);
  } catch {
    const words = filter.toLowerCase();
    return (key) => key.toLowerCase().includes(words);
  }
}
