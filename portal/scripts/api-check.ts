/** Fails when the generated client is not what the OpenAPI document makes of it. */

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

// Beside the real one, so that relative imports come out the same and nothing in use is touched.
const fresh = "src/api/generated-check";
const portal = new URL("..", import.meta.url).pathname;

function contents(folder: string): Map<string, string> {
  const root = join(portal, folder);
  const files = readdirSync(root, { recursive: true, withFileTypes: true });
  return new Map(
    files
      .filter((file) => file.isFile())
      .map((file) => join(file.parentPath, file.name))
      .map((path) => [path.slice(root.length + 1), readFileSync(path, "utf8")]),
  );
}

function run(...command: string[]): void {
  execFileSync("npx", ["--no", "--", ...command], {
    cwd: portal,
    env: { ...process.env, API_TARGET: fresh },
    stdio: ["ignore", "ignore", "inherit"],
  });
}

try {
  run("orval", "--config", "orval.config.ts");
  run("biome", "check", "--write", "--linter-enabled=false", fresh);
  const committed = contents("src/api/generated");
  const made = contents(fresh);
  const drifted = [...new Set([...committed.keys(), ...made.keys()])]
    .filter((path) => committed.get(path) !== made.get(path))
    .sort();
  if (drifted.length > 0) {
    console.error("The client in src/api/generated is not current; run `npm run api`:");
    for (const path of drifted) console.error(`  ${path}`);
    process.exitCode = 1;
  } else {
    console.log(`The client is current (${made.size} files).`);
  }
} finally {
  rmSync(join(portal, fresh), { recursive: true, force: true });
}
