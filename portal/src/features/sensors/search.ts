/** What the address of the list of sensors keeps. */

import * as v from "valibot";

const optional = <Schema extends v.GenericSchema>(schema: Schema) =>
  v.optional(v.fallback(v.optional(schema), undefined));

export const healths = ["online", "delayed", "offline", "never"] as const;

/** Search parameters of the list; what cannot be read is left out. */
export const sensorSearch = {
  q: optional(v.pipe(v.string(), v.maxLength(200))),
  health: optional(v.picklist(healths)),
  retired: optional(v.boolean()),
  sort: optional(v.picklist(["name", "-name", "created_at", "-created_at"] as const)),
};

const schema = v.object(sensorSearch);
export type SensorSearch = v.InferOutput<typeof schema>;
