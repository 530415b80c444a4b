/** Telemetry as agreed; the generated client takes its place. */

import { request } from "@/api/http";

export type Converted = {
  items: { raw: number; physical: number | null; reason: string | null }[];
};
export type Page<Item> = { items: Item[]; next_cursor: string | null };
export type TelemetrySeries = {
  sensor_id: string;
  signal: string;
  t: number[];
  raw: (number | null)[] | null;
  physical: (number | null)[] | null;
  unit: string;
  unconverted: Record<string, number>;
  ordinal: number;
  count: number;
  exact: boolean;
};
export type Latest = {
  sensor_id: string;
  signal: string;
  t: number;
  received_at: number;
  raw: number | null;
  physical: number | null;
  unit: string;
  reason: string | null;
};
export type SignalSummary = {
  sensor_id: string;
  signal: string;
  count: number;
  late_count: number;
  first: number | null;
  last: number | null;
  min: number | null;
  max: number | null;
};
export type IngestError = { time: string; reason: string; detail: string; count: number };

type Query = Record<string, string | number | boolean | readonly string[] | undefined | null>;

export function withQuery(path: string, query: Query): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (Array.isArray(value)) for (const one of value) params.append(key, one);
    else if (value !== undefined && value !== null) params.set(key, String(value));
  }
  const text = params.toString();
  return text ? `${path}?${text}` : path;
}

export const read = <Answer>(path: string, query: Query = {}, init: RequestInit = {}) =>
  request<Answer>(withQuery(path, query), init);
export const send = <Answer>(
  method: "POST" | "PUT" | "PATCH" | "DELETE",
  path: string,
  body?: unknown,
  init: RequestInit = {},
) =>
  request<Answer>(path, {
    ...init,
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
