/** A conversion profile as it is typed, and what is asked for. */

import type { ConversionProfile } from "@/api/generated/models/conversionProfile";
import type { NewConversionProfile } from "@/api/generated/models/newConversionProfile";
import type { ProfileKind } from "@/api/generated/models/profileKind";

/** What the parameters of each kind are; the server holds to it, its contract says no more than "an object". */
type Shape =
  | { a: number; b: number }
  | { coefficients: number[] }
  | { table: number[][]; clamped?: boolean };

const shapeOf = (parameters: ConversionProfile["parameters"]) => parameters as Shape;

export type ProfileDraft = {
  signal: string;
  kind: ProfileKind;
  /** `physical = a · raw + b` */
  a: string;
  b: string;
  /** Lowest power first, divided by blanks or semicolons. */
  coefficients: string;
  /** One pair a line: raw, then physical. */
  table: string;
  /** Beyond the ends of the table its last value holds; otherwise nothing is converted there. */
  clamped: boolean;
  unit: string;
  note: string;
};

export function emptyDraft(signal: string, unit: string | null): ProfileDraft {
  return {
    signal,
    kind: "linear",
    a: "1",
    b: "0",
    coefficients: "0; 1; 0.01",
    table: "0  0\n10  100",
    clamped: false,
    unit: unit ?? "",
    note: "",
  };
}

export function draftOf(profile: ConversionProfile): ProfileDraft {
  const { signal, kind, unit, note } = profile;
  const parameters = shapeOf(profile.parameters);
  const draft = { ...emptyDraft(signal, unit), kind, note: note ?? "" };
  if ("a" in parameters) return { ...draft, a: String(parameters.a), b: String(parameters.b) };
  if ("coefficients" in parameters) {
    return { ...draft, coefficients: parameters.coefficients.join("; ") };
  }
  const table = parameters.table.map((pair) => pair.join("  ")).join("\n");
  return { ...draft, table, clamped: parameters.clamped ?? false };
}

/** A number as people of either language type it; `null` where it is none. */
export function numberOf(text: string): number | null {
  const plain = text.trim().replace(",", ".").replace("−", "-");
  if (plain === "") return null;
  const value = Number(plain);
  return Number.isFinite(value) ? value : null;
}

function numbersOf(text: string): number[] | null {
  const parts = text.split(/[;\s]+/).filter(Boolean);
  const values = parts.map(numberOf);
  return values.length > 0 && values.every((value) => value !== null) ? values : null;
}

/** The line of a table that is not a pair of numbers, from 1; 0 where all are. */
export function wrongLine(table: string): number {
  const lines = table.split("\n");
  return lines.findIndex((line) => line.trim() !== "" && numbersOf(line)?.length !== 2) + 1;
}

/** What the server is asked for; `null` while something typed is no number. */
export function profileFrom(draft: ProfileDraft): NewConversionProfile | null {
  const parameters = parametersOf(draft);
  if (!parameters) return null;
  const { signal, kind, unit, note } = draft;
  return { signal, kind, parameters, unit: unit.trim() || null, note: note.trim() };
}

function parametersOf(draft: ProfileDraft): Shape | null {
  if (draft.kind === "linear") {
    const [a, b] = [numberOf(draft.a), numberOf(draft.b)];
    return a === null || b === null ? null : { a, b };
  }
  if (draft.kind === "polynomial") {
    const coefficients = numbersOf(draft.coefficients);
    return coefficients && { coefficients };
  }
  if (wrongLine(draft.table) > 0) return null;
  const table = draft.table.split("\n").flatMap((line) => {
    const pair = numbersOf(line);
    return pair ? [pair] : [];
  });
  return table.length > 0 ? { table, clamped: draft.clamped } : null;
}

const previewPoints = 101;

/** Where a profile is worth looking at: its table's ends and a little beyond, or around what was measured. */
export function previewRange(draft: ProfileDraft, last: number | null): [number, number] {
  const parameters = parametersOf(draft);
  if (parameters && "table" in parameters) {
    const raws = parameters.table.map(([raw = 0]) => raw);
    const [low, high] = [Math.min(...raws), Math.max(...raws)];
    const air = (high - low || 1) * 0.05;
    return [low - air, high + air];
  }
  if (last === null || last === 0) return [-10, 10];
  const size = 10 ** Math.ceil(Math.log10(Math.abs(last)));
  return last > 0 ? [0, size] : [-size, 0];
}

export function spread([low, high]: readonly [number, number]): number[] {
  const step = (high - low) / (previewPoints - 1);
  return Array.from({ length: previewPoints }, (_, index) => low + step * index);
}

/** A formula or the size of a table, in signs that need no language. */
export function formulaOf(profile: Pick<ConversionProfile, "parameters">): string {
  const parameters = shapeOf(profile.parameters);
  if ("a" in parameters) return `${parameters.a} · x ${signed(parameters.b)}`;
  if ("coefficients" in parameters) {
    const powers = ["", " · x", " · x²", " · x³", " · x⁴", " · x⁵"];
    return parameters.coefficients
      .map((value, power) => {
        const term = `${powers[power] ?? ` · x^${power}`}`;
        return power === 0 ? String(value) : `${signed(value)}${term}`;
      })
      .join(" ");
  }
  const { table } = parameters;
  return `${table[0]?.join(" → ")} … ${table.at(-1)?.join(" → ")} (${table.length})`;
}

function signed(value: number): string {
  return value < 0 ? `− ${Math.abs(value)}` : `+ ${value}`;
}
