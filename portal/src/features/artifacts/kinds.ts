/** As what a file is shown. The name decides; nothing that is shown can run, whatever it holds. */

import { nameOf } from "./paths";

export type Kind =
  | "text"
  | "json"
  | "markdown"
  | "table"
  | "parquet"
  | "image"
  | "svg"
  | "pdf"
  | "audio"
  | "video"
  | "html"
  | "none";

const byEnding: Record<string, Kind> = {
  avif: "image",
  bmp: "image",
  gif: "image",
  ico: "image",
  jpeg: "image",
  jpg: "image",
  png: "image",
  webp: "image",
  svg: "svg",
  pdf: "pdf",
  flac: "audio",
  m4a: "audio",
  mp3: "audio",
  oga: "audio",
  ogg: "audio",
  wav: "audio",
  mov: "video",
  mp4: "video",
  ogv: "video",
  webm: "video",
  htm: "html",
  html: "html",
  geojson: "json",
  har: "json",
  ipynb: "json",
  json: "json",
  markdown: "markdown",
  md: "markdown",
  csv: "table",
  tsv: "table",
  parquet: "parquet",
};

// What people keep beside a run and mean to read, though its type says no more than "application".
const readable = new Set(
  (
    "bash c cc cfg clj cmake conf cpp cs css csx cu dart diff dockerfile env fish go gradle graphql h hpp ini " +
    "ipy java jl js jsonl jsx kt less lock log lua m makefile ndjson patch php pl properties proto ps1 py pyi r " +
    "rb requirements rs rst scala scss sh sql sum svelte swift tex toml ts tsx txt vue xml yaml yml zig zsh"
  ).split(" "),
);
const plain = new Set(["dockerfile", "license", "makefile", "mlmodel", "notice", "readme"]);

/** Bytes up to which each kind is fetched to be shown; what streams or comes in part has no limit. */
export const limits = {
  text: 512 * 1024,
  json: 4 * 1024 * 1024,
  table: 1024 * 1024,
  markdown: 1024 * 1024,
  html: 8 * 1024 * 1024,
  svg: 8 * 1024 * 1024,
  image: 64 * 1024 * 1024,
  pdf: 64 * 1024 * 1024,
} as const;

export function kindOf(path: string, mediaType: string | null): Kind {
  const name = nameOf(path).toLowerCase();
  const ending = name.includes(".") ? name.slice(name.lastIndexOf(".") + 1) : "";
  const known = byEnding[ending];
  if (known) return known;
  if (readable.has(ending) || plain.has(name)) return "text";
  return mediaType?.startsWith("text/") ? "text" : "none";
}
