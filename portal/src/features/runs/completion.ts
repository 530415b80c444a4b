/** What the filter box offers at the caret. */

import { type Stage, writtenField, writtenValue } from "./language";
import type { FieldKind, FieldValue, RunField } from "./search-api";

export type Suggestion = {
  /** What takes the place of what is being typed. */
  text: string;
  /** What is read in the list; the text where it is missing. */
  label?: string;
  /** A word about it: its kind, or how many runs have it. */
  note?: string;
};

const kindNames: Record<FieldKind, string> = {
  attribute: "attributes",
  param: "params",
  metric: "metrics",
  tag: "tags",
  dataset: "datasets",
};

/** `metrics.val/loss`: a field of the server's list as one name. */
export function fieldName({ kind, key }: Pick<RunField, "kind" | "key">): string {
  return `${kindNames[kind]}.${key}`;
}

/** What to ask the server's list of fields for: the kind where it is written already, and a part of the key. */
export function fieldSearch(typed: string): { kind?: FieldKind; q: string } {
  const [, written = "", key = ""] = /^(\w+)\.["`]?(.*?)["`]?$/s.exec(typed) ?? [];
  const kind = (Object.keys(kindNames) as FieldKind[]).find(
    (one) => kindNames[one] === written || one === written,
  );
  return kind ? { kind, q: key } : { q: typed.replaceAll(/["`]/g, "") };
}

/** Fields that have what is typed; the list may still be that of the letters before. */
export function fieldSuggestions(fields: readonly RunField[], typed: string): Suggestion[] {
  const { kind, q } = fieldSearch(typed);
  const suits = (field: RunField) =>
    (!kind || field.kind === kind) && fieldName(field).toLowerCase().includes(q.toLowerCase());
  return fields.filter(suits).map((field) => ({
    text: `${writtenField(fieldName(field))} `,
    label: fieldName(field),
    note: field.type,
  }));
}

const ordered = ["<", "<=", ">", ">=", "=", "!="];
const textual = ["=", "!=", "like", "ilike", "in", "not in"];
const always = ["is null", "is not null"];

/** The operators that suit a field, those for numbers first where it is one. */
export function operatorSuggestions(stage: Stage, type: string | undefined): Suggestion[] {
  const numeric = stage.field.startsWith("metrics.") || type === "number";
  const time = type === "time" || /_at$|_time$/.test(stage.field);
  const all = numeric || time ? ordered : textual;
  // A text param may read as a number, and is then compared as one.
  const more = stage.field.startsWith("params.") ? [...textual, ...ordered] : all;
  const offered = [...new Set([...(numeric ? all : more), ...always])];
  return offered
    .filter((name) => name.startsWith(stage.typed.toLowerCase()))
    .map((name) => ({ text: `${name} `, label: name }));
}

export function valueSuggestions(
  stage: Stage,
  values: readonly FieldValue[],
  counted: (count: number) => string,
): Suggestion[] {
  const list = stage.kind === "value" && stage.operator.endsWith("in");
  return values.map(({ value, count }) => ({
    text: list ? writtenValue(value) : `${writtenValue(value)} `,
    label: String(value),
    note: counted(count),
  }));
}

export function jointSuggestions(stage: Stage): Suggestion[] {
  const words = ["and", "or"].filter((word) => word.startsWith(stage.typed.toLowerCase()));
  return words.map((word) => ({ text: `${word} `, label: word }));
}

/** The expression and the caret's place after a choice. */
export function completed(
  text: string,
  stage: Stage,
  choice: Suggestion,
): { text: string; caret: number } {
  let put = choice.text;
  const before = text.slice(0, stage.from);
  if (stage.kind === "value" && stage.operator.endsWith("in") && /in\s*$/i.test(before)) {
    put = `${/\s$/.test(before) ? "" : " "}(${put}`;
  } else if (/[\w"'`)]$/.test(before) && !/^\s/.test(put)) {
    put = ` ${put}`;
  }
  const after = text.slice(stage.to).replace(/^\s+/, put.endsWith(" ") ? "" : " ");
  return { text: before + put + after, caret: before.length + put.length };
}
