/** What runs are held against each other by: their params and the last values of their metrics. */

import type { ComparedRuns } from "@/api/generated/models/comparedRuns";

export type Dimension = {
  /** `params.lr`, `metrics.loss`. */
  id: string;
  label: string;
  /** A number for each run, or the place of its category; null where it has none. */
  values: (number | null)[];
  /** The names of the categories, where the values are no numbers. */
  categories: string[] | null;
  /** What stands in a table. */
  texts: string[];
};

function numeric(id: string, label: string, values: (number | null)[]): Dimension {
  const texts = values.map((value) => (value === null ? "—" : String(value)));
  return { id, label, values, categories: null, texts };
}

function categorical(id: string, label: string, values: (string | null)[]): Dimension {
  const categories = [...new Set(values.filter((value) => value !== null))].toSorted();
  const places = values.map((value) => (value === null ? null : categories.indexOf(value)));
  return { id, label, values: places, categories, texts: values.map((value) => value ?? "—") };
}

const finite = (value: unknown) =>
  typeof value === "number" && Number.isFinite(value) ? value : null;

/** The params that differ, then all metrics, each with a value a run. */
export function dimensionsOf({ params, metrics }: ComparedRuns): Dimension[] {
  const ofParams = params
    .filter(({ differs }) => differs)
    .map(({ key, values, missing }) => {
      const there = values.filter((_, place) => !missing.includes(place));
      const id = `params.${key}`;
      if (there.every((value) => typeof value === "number")) {
        return numeric(id, key, values.map(finite));
      }
      return categorical(
        id,
        key,
        values.map((value, place) => (missing.includes(place) ? null : String(value))),
      );
    });
  const ofMetrics = metrics.map(({ key, cells }) =>
    numeric(
      `metrics.${key}`,
      key,
      cells.map((cell) => finite(cell?.last)),
    ),
  );
  return [...ofParams, ...ofMetrics];
}
