/** How charts are looked at. All of it stands in the address, so that a link shows the same picture. */

import * as v from "valibot";
import { type Axis, axes, type Range } from "./axis";

export type ChartView = {
  axis: Axis;
  logY: boolean;
  /** 0 … 0.99, see `smoothed`. */
  smoothing: number;
  /** What is zoomed into; `null` is everything, and follows a live run. */
  zoom: Range | null;
  /** Which metrics are shown, by a part of their key. */
  filter: string;
  /** Metrics drawn into another one's panel, by the key of that panel. */
  overlays: Record<string, string[]>;
};

export const smoothingSteps = [0, 0.3, 0.6, 0.8, 0.9, 0.97] as const;

/** The search parameters of a page with charts; what cannot be read is left out. */
export const chartSearch = {
  axis: v.optional(v.fallback(v.optional(v.picklist(axes)), undefined)),
  log: v.optional(v.fallback(v.optional(v.boolean()), undefined)),
  smooth: v.optional(
    v.fallback(v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(0.99))), undefined),
  ),
  zoom: v.optional(
    v.fallback(v.optional(v.pipe(v.string(), v.regex(/^[-+\d.e]+\.\.[-+\d.e]+$/i))), undefined),
  ),
  metric: v.optional(v.fallback(v.optional(v.string()), undefined)),
  with: v.optional(v.fallback(v.optional(v.record(v.string(), v.array(v.string()))), undefined)),
};

export type ChartSearch = {
  axis?: Axis;
  log?: boolean;
  smooth?: number;
  zoom?: string;
  metric?: string;
  with?: Record<string, string[]>;
};

export function viewFrom(search: ChartSearch): ChartView {
  return {
    axis: search.axis ?? "step",
    logY: search.log ?? false,
    smoothing: search.smooth ?? 0,
    zoom: rangeFrom(search.zoom),
    filter: search.metric ?? "",
    overlays: search.with ?? {},
  };
}

/** The address' share of a view; what is as usual is left out of it. */
export function searchFrom(view: ChartView): ChartSearch {
  const overlays = Object.entries(view.overlays).filter(([, keys]) => keys.length > 0);
  return {
    axis: view.axis === "step" ? undefined : view.axis,
    log: view.logY || undefined,
    smooth: view.smoothing || undefined,
    zoom: view.zoom ? `${short(view.zoom[0])}..${short(view.zoom[1])}` : undefined,
    metric: view.filter || undefined,
    with: overlays.length > 0 ? Object.fromEntries(overlays) : undefined,
  };
}

function rangeFrom(text: string | undefined): Range | null {
  const [from, to] = (text ?? "").split("..").map(Number);
  if (from === undefined || to === undefined) return null;
  return Number.isFinite(from) && Number.isFinite(to) && from < to ? [from, to] : null;
}

function short(place: number): string {
  return String(Number(place.toPrecision(13)));
}
