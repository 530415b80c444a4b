/** Saves a text that several people may be writing, without overwriting anybody unseen. */

import { isProblem } from "@/api/problem";

export type Stored = { text: string; version: number };

export type Place = {
  /** Saves when the version is still current; throws a problem of status 412 otherwise. */
  save: (text: string, version: number) => Promise<Stored>;
  load: () => Promise<Stored>;
};

export type Outcome = { kind: "saved"; stored: Stored } | { kind: "conflict"; theirs: Stored };

const attempts = 3;

/**
 * @param base what the writer started from. When the version has moved on but the text has not (a tag or the
 *   status was changed), there is nothing to lose and the text is saved over the new version.
 */
export async function saveOver(place: Place, text: string, base: Stored): Promise<Outcome> {
  let known = base;
  for (let attempt = 1; ; attempt++) {
    try {
      return { kind: "saved", stored: await place.save(text, known.version) };
    } catch (error) {
      if (!isProblem(error) || error.status !== 412 || attempt >= attempts) throw error;
    }
    known = await place.load();
    if (known.text === text) return { kind: "saved", stored: known };
    if (known.text !== base.text) return { kind: "conflict", theirs: known };
  }
}

/** Both texts in one, for sorting out by hand. */
export function joined(theirs: string, mine: string): string {
  return `${theirs.trimEnd()}\n\n---\n\n${mine.trimStart()}`;
}
