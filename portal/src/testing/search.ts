/** Run search for the backend in memory: the filter language, fields, groups and saved views. */

import type { Run } from "@/api/generated/models/run";
import { type Asked, type Backend, newId, page, problem } from "@/testing/backend";

type Value = string | number | boolean | null;
type Test = (run: Run) => boolean;

/** A mistake in an expression, by its place in characters. */
class Mistake extends Error {
  constructor(
    message: string,
    readonly position: number,
    readonly length: number,
  ) {
    super(message);
  }
}

const attributeNames: Record<string, string> = { run_id: "id", run_name: "name" };

function read(run: Run, kind: string, key: string): Value {
  if (kind === "params") return run.params[key] ?? null;
  if (kind === "metrics") return (run.metrics[key] as number | undefined) ?? null;
  if (kind === "tags") return run.tags[key] ?? null;
  return (run[(attributeNames[key] ?? key) as keyof Run] as Value) ?? null;
}

const condition = new RegExp(
  [
    String.raw`\s*(?<kind>\w+)\.(?:"(?<quoted>[^"]+)"|(?<plain>[^\s=!<>]+))`,
    String.raw`\s*(?<op>!=|<=|>=|=|<|>|(?:not\s+)?(?:ilike|like|in)\b|is\s+not|is)`,
    String.raw`\s*(?<value>\([^)]*\)|"[^"]*"|'[^']*'|null|[-\d.e]+)\s*`,
  ].join(""),
  "iy",
);

/** The expression as a test of runs; the chain of conditions that the server reads. */
function parsed(filter: string): Test {
  const tests: Test[] = [];
  let place = 0;
  while (place < filter.length) {
    condition.lastIndex = place;
    const match = condition.exec(filter);
    if (!match?.groups) {
      const word = /\S+/.exec(filter.slice(place));
      const at = place + (word?.index ?? 0);
      throw new Mistake("A condition is expected here.", at, word?.[0].length ?? 1);
    }
    const { kind = "", quoted, plain, op = "", value = "" } = match.groups;
    if (!["attributes", "params", "metrics", "tags"].includes(kind)) {
      const at = place + match[0].indexOf(kind);
      throw new Mistake(`There is no "${kind}" to filter by.`, at, kind.length);
    }
    tests.push(tested(kind, quoted ?? plain ?? "", op.toLowerCase().replace(/\s+/g, " "), value));
    place = condition.lastIndex;
    const and = /and\s+/iy;
    and.lastIndex = place;
    if (place < filter.length && !and.test(filter)) {
      throw new Mistake('Conditions are joined by "and".', place, filter.length - place);
    }
    place = Math.max(place, and.lastIndex);
  }
  return (run) => tests.every((test) => test(run));
}

function tested(kind: string, key: string, op: string, text: string): Test {
  const plain = (one: string): Value =>
    /^["']/.test(one) ? one.slice(1, -1) : one === "null" ? null : Number(one);
  const list = text.startsWith("(")
    ? text
        .slice(1, -1)
        .split(",")
        .map((one) => plain(one.trim()))
    : [plain(text)];
  const [wanted = null] = list;
  const like = (flags: string) => {
    const pattern = String(wanted)
      .replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")
      .replaceAll("%", ".*");
    return new RegExp(`^${pattern}$`, flags);
  };
  return (run) => {
    const value = read(run, kind, key);
    if (op === "is") return value === null;
    if (op === "is not") return value !== null;
    if (value === null) return false;
    const same = (one: Value) => String(one) === String(value);
    const compared: Record<string, boolean> = {
      "=": same(wanted),
      "!=": !same(wanted),
      "<": Number(value) < Number(wanted),
      "<=": Number(value) <= Number(wanted),
      ">": Number(value) > Number(wanted),
      ">=": Number(value) >= Number(wanted),
      like: like("s").test(String(value)),
      ilike: like("is").test(String(value)),
      "not like": !like("s").test(String(value)),
      "not ilike": !like("is").test(String(value)),
      in: list.some(same),
      "not in": !list.some(same),
    };
    return compared[op] ?? false;
  };
}

/** The runs that an expression names, or the problem that says where it is wrong. */
export function filtered(runs: readonly Run[], filter: string | null): Run[] | Response {
  try {
    return runs.filter(parsed(filter ?? ""));
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    const { message, position, length } = error;
    return problem(422, "invalid-request", {
      errors: [{ parameter: "filter", detail: message, position, length }],
    });
  }
}

/** By `metrics.loss desc, name asc`; runs without a value come last. */
export function ordered(runs: readonly Run[], orders: readonly string[]): Run[] {
  const keys = orders.map((order) => {
    const match = /^(\w+)\."?(.*?)"?\s+(asc|desc)$/.exec(order);
    if (!match) throw new Error(`not an order: ${order}`);
    return { kind: match[1] ?? "", key: match[2] ?? "", way: match[3] === "desc" ? -1 : 1 };
  });
  return runs.toSorted((one, other) => {
    for (const { kind, key, way } of keys) {
      const [a, b] = [read(one, kind, key), read(other, kind, key)];
      if (a === b) continue;
      if (a === null || b === null) return a === null ? 1 : -1;
      return (a < b ? -1 : 1) * way;
    }
    return 0;
  });
}

export type StoredView = {
  id: string;
  name: string;
  kind: "runs";
  visibility: "personal" | "shared";
  state: Record<string, unknown>;
  is_default: boolean;
  created_by: string;
  version: number;
};

export function registerSearch(backend: Backend, all: () => readonly Run[], views: StoredView[]) {
  const living = () => all().filter(({ archived_at }) => archived_at === null);

  backend.on("GET /api/v1/projects/{}/runs/fields", ({ query }) => {
    const q = query.get("q")?.toLowerCase() ?? "";
    const kind = query.get("kind");
    const found = new Map<string, { kind: string; key: string; type: string }>();
    const add = (of: string, key: string, type: string) =>
      found.set(`${of}.${key}`, { kind: of, key, type });
    for (const [key, type] of [
      ["status", "string"],
      ["name", "string"],
      ["created_at", "time"],
      ["duration_seconds", "number"],
    ] as const) {
      add("attribute", key, type);
    }
    for (const run of living()) {
      for (const [key, value] of Object.entries(run.params)) add("param", key, typeof value);
      for (const key of Object.keys(run.metrics)) add("metric", key, "number");
      for (const key of Object.keys(run.tags)) add("tag", key, "string");
    }
    return page(
      [...found.values()].filter(
        (field) => field.key.toLowerCase().includes(q) && (!kind || field.kind === kind),
      ),
    );
  });

  backend.on("GET /api/v1/projects/{}/runs/fields/values", ({ query }) => {
    const field = query.get("field") ?? "";
    const [kind = "", key = ""] = [
      field.slice(0, field.indexOf(".")),
      field.slice(field.indexOf(".") + 1),
    ];
    const q = query.get("q")?.toLowerCase() ?? "";
    const counts = new Map<Value, number>();
    for (const run of living()) {
      const value = read(run, kind, key);
      if (value !== null && String(value).toLowerCase().includes(q)) {
        counts.set(value, (counts.get(value) ?? 0) + 1);
      }
    }
    return page([...counts].map(([value, count]) => ({ value, count })));
  });

  backend.on("POST /api/v1/projects/{}/runs/groups", ({ body }) => {
    const runs = filtered(living(), (body.filter as string | undefined) ?? null);
    if (runs instanceof Response) return runs;
    const by = body.by as string[];
    const groups = new Map<string, Run[]>();
    for (const run of runs) {
      const values = by.map((field) => {
        const dot = field.indexOf(".");
        return read(run, field.slice(0, dot), field.slice(dot + 1));
      });
      const key = JSON.stringify(values);
      groups.set(key, [...(groups.get(key) ?? []), run]);
    }
    return page(
      [...groups].map(([key, members]) => ({
        values: JSON.parse(key) as Value[],
        count: members.length,
        run_ids: members.map(({ id }) => id).slice(0, 100),
        metrics: Object.fromEntries(
          (body.metrics as string[]).map((metric) => [metric, together(members, metric)]),
        ),
      })),
    );
  });

  const find = (id: string | undefined) => views.find((view) => view.id === id);
  backend.on("GET /api/v1/projects/{}/views", () => page(views));
  backend.on("POST /api/v1/projects/{}/views", ({ body }: Asked) => {
    const view: StoredView = {
      kind: "runs",
      visibility: "personal",
      is_default: false,
      state: {},
      ...(body as Partial<StoredView>),
      id: newId(),
      name: String(body.name),
      created_by: backend.user?.id ?? "",
      version: 1,
    };
    if (views.some(({ name }) => name === view.name)) {
      return problem(409, "view-name-taken", { detail: `“${view.name}” exists already.` });
    }
    views.push(view);
    return Response.json(view, { status: 201 });
  });
  backend.on("GET /api/v1/views/{}", ({ params: [id] }) => {
    const view = find(id);
    return view ? Response.json(view) : problem(404, "not-found");
  });
  backend.on("PATCH /api/v1/views/{}", ({ params: [id], body }) => {
    const view = find(id);
    if (!view) return problem(404, "not-found");
    Object.assign(view, body, { version: view.version + 1 });
    return Response.json(view);
  });
  backend.on("DELETE /api/v1/views/{}", ({ params: [id] }) => {
    const view = find(id);
    if (!view) return problem(404, "not-found");
    views.splice(views.indexOf(view), 1);
    return new Response(null, { status: 204 });
  });
}

function together(runs: readonly Run[], metric: string) {
  const values = runs
    .map((run) => run.metrics[metric])
    .filter((value): value is number => typeof value === "number");
  const count = values.length;
  if (count === 0) return { count, mean: null, std: null, min: null, max: null };
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    count,
    mean,
    std: count > 1 ? Math.sqrt(squares / (count - 1)) : null,
    min: Math.min(...values),
    max: Math.max(...values),
  };
}
