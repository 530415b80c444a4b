/** Fails when a text of the code is not in the catalogs, or a catalog lacks a translation. */

import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";

const languages = ["en", "ru"];
const catalogs = ["", "charts/", "files/", "people/", "telemetry/"].flatMap((folder) =>
  languages.map((language) => folder + language),
);
const file = (catalog: string, ending: string) =>
  new URL(`../src/locales/${catalog}.${ending}`, import.meta.url).pathname;

function lingui(...command: string[]): void {
  execFileSync("npx", ["--no", "--", "lingui", ...command], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}

// The date in the header is no change of the catalog.
const withoutDate = (text: string) => text.replace(/^"POT-Creation-Date:.*$/m, "");

const kept = new Map(
  catalogs.map((catalog) => [catalog, readFileSync(file(catalog, "po"), "utf8")]),
);
lingui("extract", "--clean");
for (const [catalog, text] of kept) {
  if (withoutDate(readFileSync(file(catalog, "po"), "utf8")) !== withoutDate(text)) {
    console.error(`src/locales/${catalog}.po is not current; run \`npm run i18n\`.`);
    process.exitCode = 1;
  }
  writeFileSync(file(catalog, "po"), text);
}

try {
  lingui("compile", "--strict");
} catch {
  process.exitCode = 1;
} finally {
  for (const catalog of catalogs) rmSync(file(catalog, "js"), { force: true });
}
if (!process.exitCode) console.log("The catalogs are complete.");
