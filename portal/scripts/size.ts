/** Fails when what a first visit downloads outgrows its bars (gzip). Run `npm run build` before. */

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

type Chunk = { file: string; imports?: string[]; css?: string[]; isEntry?: boolean };

const dist = new URL("../dist/", import.meta.url).pathname;
const manifest: Record<string, Chunk> = JSON.parse(
  readFileSync(`${dist}.vite/manifest.json`, "utf8"),
);

/** A chunk and everything it needs before it runs. */
function closure(names: string[]): Chunk[] {
  const seen = new Set<string>();
  const visit = (name: string) => {
    if (seen.has(name)) return;
    seen.add(name);
    for (const other of manifest[name]?.imports ?? []) visit(other);
  };
  for (const name of names) visit(name);
  return [...seen].map((name) => manifest[name]).filter((chunk) => chunk !== undefined);
}

function gzipped(files: Iterable<string>): number {
  let bytes = 0;
  for (const file of new Set(files)) bytes += gzipSync(readFileSync(dist + file)).length;
  return bytes / 1000;
}

function named(part: string): string[] {
  return Object.keys(manifest).filter((name) => name.includes(part));
}

// What the browser has fetched when the first page of a project is on the screen.
const first = closure([
  "index.html",
  ...named("src/routes/_app.tsx"),
  ...named("src/routes/_app/p/$project.tsx"),
  ...named("src/routes/_app/p/$project/index.tsx"),
  ...named("src/locales/ru.po"),
]);
const scripts = gzipped(first.map(({ file }) => file));
const styles = gzipped(first.flatMap(({ css }) => css ?? []));

const bars: [string, number, number][] = [
  ["JavaScript of the first page", scripts, 250],
  ["CSS of the first page", styles, 25],
];
for (const [name, size, bar] of bars) {
  const verdict = size <= bar ? "ok" : "too large";
  console.log(`${name}: ${size.toFixed(1)} kB gzip of ${bar} (${verdict})`);
  if (size > bar) process.exitCode = 1;
}
