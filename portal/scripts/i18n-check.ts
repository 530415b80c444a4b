/** Fails when a text of the code is not in the catalogs, or a catalog lacks a translation. */

import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";

const languages = ["en", "ru"];
const file = (language: string, ending: string) =>
  new URL(`../src/locales/${language}.${ending}`, import.meta.url).pathname;

function lingui(...command: string[]): void {
  execFileSync("npx", ["--no", "--", "lingui", ...command], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}

// The date in the header is no change of the catalog.
const withoutDate = (text: string) => text.replace(/^"POT-Creation-Date:.*$/m, "");

const kept = new Map(
  languages.map((language) => [language, readFileSync(file(language, "po"), "utf8")]),
);
lingui("extract", "--clean");
for (const [language, text] of kept) {
  if (withoutDate(readFileSync(file(language, "po"), "utf8")) !== withoutDate(text)) {
    console.error(`src/locales/${language}.po is not current; run \`npm run i18n\`.`);
    process.exitCode = 1;
  }
  writeFileSync(file(language, "po"), text);
}

try {
  lingui("compile", "--strict");
} catch {
  process.exitCode = 1;
} finally {
  for (const language of languages) rmSync(file(language, "js"), { force: true });
}
if (!process.exitCode) console.log("The catalogs are complete.");
