/** The files of runs for the backend in memory. */

import type { Entry } from "@/api/generated/models/entry";
import { type Backend, newId, page, problem } from "@/testing/backend";

const at = "2026-11-22T09:00:00.000000Z";

/** The same for the same content, and nothing else that a digest is. */
function digest(content: string): string {
  let sum = 7n;
  for (const one of content) sum = (sum * 31n + BigInt(one.codePointAt(0) ?? 0)) % (1n << 256n);
  return sum.toString(16).padStart(64, "a");
}

export class Files {
  /** Content by path. */
  readonly stored = new Map<string, string>();
  readonly listed: URLSearchParams[] = [];
  readonly ranges: (string | null)[] = [];
  /** The problem that the next uploads meet. */
  refusal: (() => Response) | null = null;
  /** Entries of a page. */
  pageSize = 1000;

  constructor(
    readonly backend: Backend,
    files: Record<string, string> = {},
  ) {
    for (const [path, content] of Object.entries(files)) this.stored.set(path, content);
    this.register();
  }

  readonly #ids = new Map<string, string>();

  private idOf(path: string): string {
    const id = this.#ids.get(path) ?? newId();
    this.#ids.set(path, id);
    return id;
  }

  entry(path: string): Entry {
    const content = this.stored.get(path) ?? "";
    const ending = path.slice(path.lastIndexOf(".") + 1);
    const types: Record<string, string> = { json: "application/json", txt: "text/plain" };
    return {
      kind: "file",
      id: this.idOf(path),
      description: "",
      approved: false,
      path,
      size: new Blob([content]).size,
      media_type: types[ending] ?? "application/octet-stream",
      sha256: digest(content),
      created_by: newId(),
      created_at: at,
    };
  }

  private entries(prefix: string): Entry[] {
    const inside = prefix ? `${prefix}/` : "";
    const found = new Map<string, Entry>();
    for (const path of this.stored.keys()) {
      if (!path.startsWith(inside)) continue;
      const [first = "", ...more] = path.slice(inside.length).split("/");
      const own = inside + first;
      if (more.length === 0) found.set(own, this.entry(path));
      else found.set(own, { ...folder, path: own });
    }
    return [...found.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  }

  private register(): void {
    const { backend } = this;
    backend.on("GET /api/v1/runs/{}/artifacts", ({ query }) => {
      this.listed.push(query);
      const from = Number(query.get("cursor") ?? 0);
      const all = this.entries(query.get("prefix") ?? "");
      const items = all.slice(from, from + this.pageSize);
      const next = from + this.pageSize;
      if (all.length <= next) return page(items);
      return Response.json({ items, next_cursor: String(next) });
    });
    const file = "/api/v1/runs/{}/artifacts/{...}";
    backend.on(`GET ${file}`, ({ params: [, path = ""], headers }) => {
      const content = this.stored.get(path);
      if (content === undefined) return problem(404, "not-found");
      this.ranges.push(headers.get("Range"));
      const [, last] = /^bytes=0-(\d+)$/.exec(headers.get("Range") ?? "") ?? [];
      const part = last === undefined ? content : content.slice(0, Number(last) + 1);
      return new Response(part, { status: last === undefined ? 200 : 206 });
    });
    backend.on(`PUT ${file}`, ({ params: [, path = ""], content }) => {
      if (this.refusal) return this.refusal();
      this.stored.set(path, content);
      return Response.json(this.entry(path));
    });
    backend.on(`DELETE ${file}`, ({ params: [, path = ""] }) => {
      this.stored.delete(path);
      return new Response(null, { status: 204 });
    });
  }
}

const folder: Omit<Entry, "path"> = {
  kind: "folder",
  id: null,
  description: null,
  approved: null,
  size: null,
  media_type: null,
  sha256: null,
  created_by: null,
  created_at: null,
};
