/** The files of runs for the backend in memory. */

import type { ArtifactChange } from "@/api/generated/models/artifactChange";
import type { Entry } from "@/api/generated/models/entry";
import type { Input } from "@/api/generated/models/input";
import type { NewApproval } from "@/api/generated/models/newApproval";
import type { NewUpload } from "@/api/generated/models/newUpload";
import type { Use } from "@/api/generated/models/use";
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
  /** What owners said of contents, by path. */
  readonly approvals = new Map<string, { sha256: string; note: string }>();
  readonly descriptions = new Map<string, string>();
  readonly inputs: Input[] = [];
  readonly uses: Use[] = [];
  /** What the server reads of a table, by path: columns and all rows. */
  readonly tables = new Map<string, { columns: string[]; rows: number[][] }>();
  /** Uploads in parts that are under way: their parts by number. */
  readonly uploads = new Map<string, { path: string; size: number; parts: Map<number, string> }>();
  begun = 0;
  partSize = 8;
  /** Answers to parts, as long as there are any, instead of taking them. */
  readonly partAnswers: (() => Response)[] = [];
  /** The same for what is asked to be put together. */
  readonly joinAnswers: (() => Response)[] = [];
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
      description: this.descriptions.get(path) ?? "",
      approved: this.approvals.get(path)?.sha256 === digest(content),
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

  private pathOf(id = ""): string {
    return [...this.#ids].find(([, one]) => one === id)?.[0] ?? "";
  }

  private details(path: string): Response {
    const { kind: _, ...entry } = this.entry(path);
    const given = this.approvals.get(path);
    const approval = entry.approved ? { by: newId(), at, note: given?.note ?? "" } : null;
    const beside = { run_id: newId(), model_id: null, project_id: newId(), metadata: {} };
    return Response.json({
      ...entry,
      ...beside,
      approval,
      detected_media_type: null,
      previews: "none",
    });
  }

  private registerUploads(): void {
    const { backend } = this;
    const shown = (id: string) => {
      const found = this.uploads.get(id);
      if (!found) return problem(404, "not-found");
      const parts = [...found.parts].map(([number, content]) => {
        return { number, size: content.length, sha256: digest(content) };
      });
      const { path, size } = found;
      const times = { created_at: at, expires_at: at };
      return Response.json({ id, path, size, parts, part_size: this.partSize, ...times });
    };
    backend.on("POST /api/v1/runs/{}/uploads", ({ body }) => {
      const { path, size } = body as unknown as NewUpload;
      const id = newId();
      this.begun += 1;
      this.uploads.set(id, { path, size, parts: new Map() });
      return shown(id);
    });
    backend.on("GET /api/v1/uploads/{}", ({ params: [id = ""] }) => shown(id));
    backend.on("PUT /api/v1/uploads/{}/parts/{}", ({ params: [id = "", number], content }) => {
      const answer = this.partAnswers.shift();
      if (answer) return answer();
      this.uploads.get(id)?.parts.set(Number(number), content);
      return Response.json({ number: Number(number), size: content.length, sha256: "" });
    });
    backend.on("POST /api/v1/uploads/{}/complete", ({ params: [id = ""] }) => {
      const answer = this.joinAnswers.shift();
      if (answer) return answer();
      const found = this.uploads.get(id);
      if (!found) return problem(404, "not-found");
      const content = [...found.parts].toSorted(([a], [b]) => a - b).map(([, part]) => part);
      if (content.join("").length !== found.size) return problem(409, "parts-missing");
      this.uploads.delete(id);
      this.stored.set(found.path, content.join(""));
      return Response.json(this.entry(found.path));
    });
    backend.on("DELETE /api/v1/uploads/{}", ({ params: [id = ""] }) => {
      this.uploads.delete(id);
      return new Response(null, { status: 204 });
    });
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
    backend.on("GET /api/v1/runs/{}/inputs", () => page(this.inputs));
    backend.on("GET /api/v1/artifacts/{}/uses", () => page(this.uses));
    backend.on("GET /api/v1/artifacts/{}/preview", ({ params: [id], query }) => {
      const table = this.tables.get(this.pathOf(id));
      if (!table) return Response.json({ kind: "none", reason: "It is no table." });
      const from = Number(query.get("offset") ?? 0);
      const rows = table.rows.slice(from, from + Number(query.get("rows") ?? 100));
      const columns = table.columns.map((name) => ({ name, type: "int64" }));
      return Response.json({
        kind: "table",
        table: { columns, rows, row_count: table.rows.length },
      });
    });
    backend.on("GET /api/v1/artifacts/{}", ({ params: [id] }) => this.details(this.pathOf(id)));
    backend.on("PATCH /api/v1/artifacts/{}", ({ params: [id], body }) => {
      this.descriptions.set(this.pathOf(id), String((body as ArtifactChange).description));
      return this.details(this.pathOf(id));
    });
    backend.on("PUT /api/v1/artifacts/{}/approval", ({ params: [id], body }) => {
      const { sha256, note = "" } = body as unknown as NewApproval;
      const path = this.pathOf(id);
      if (sha256 !== this.entry(path).sha256) return problem(409, "other-content");
      this.approvals.set(path, { sha256, note });
      return this.details(path);
    });
    backend.on("DELETE /api/v1/artifacts/{}/approval", ({ params: [id] }) => {
      this.approvals.delete(this.pathOf(id));
      return new Response(null, { status: 204 });
    });
    this.registerUploads();
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
