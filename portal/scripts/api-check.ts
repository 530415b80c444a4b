/** Fails when the generated client is not what the OpenAPI document makes of it. */

import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const generated = new URL("../src/api/generated", import.meta.url).pathname;
const kept = mkdtempSync(join(tmpdir(), "portal-api-"));

function contents(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return new Map(
    files
      .filter((file) => file.isFile())
      .map((file) => join(file.parentPath, file.name))
      .map((path) => [path.slice(folder.length), readFileSync(path, "utf8")]),
  );
}

try {
  cpSync(generated, kept, { recursive: true });
  execFileSync("npm", ["run", "--silent", "api"], { stdio: ["ignore", "ignore", "inherit"] });
  const before = contents(kept);
  const after = contents(generated);
  const drifted = [...new Set([...before.keys(), ...after.keys()])]
    .filter((path) => before.get(path) !== after.get(path))
    .sort();
  if (drifted.length > 0) {
    rmSync(generated, { recursive: true });
    cpSync(kept, generated, { recursive: true });
    console.error("The client in src/api/generated is not current; run `npm run api`:");
    for (const path of drifted) console.error(`  ${path}`);
    process.exitCode = 1;
  } else {
    console.log(`The client is current (${after.size} files).`);
  }
} finally {
  rmSync(kept, { recursive: true });
}
