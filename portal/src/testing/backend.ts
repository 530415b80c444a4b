/**
 * A small Runbench in memory, spoken to through `Request` and `Response`, so that the same fake stands
 * behind MSW in tests and behind a plain HTTP server. It keeps the rules that pages react to, no more.
 */

import type { AuditEvent } from "@/api/generated/models/auditEvent";
import type { Member } from "@/api/generated/models/member";
import type { OpenSession } from "@/api/generated/models/openSession";
import type { Project } from "@/api/generated/models/project";
import type { Role } from "@/api/generated/models/role";
import type { Token } from "@/api/generated/models/token";
import type { User } from "@/api/generated/models/user";

export type Call = { method: string; path: string; body: unknown; headers: Headers };

type Account = User & { password: string };
type Route = {
  method: string;
  pattern: RegExp;
  answer: (request: Asked) => Response | Promise<Response>;
};
export type Asked = {
  params: string[];
  query: URLSearchParams;
  body: Record<string, unknown>;
  /** The body as it came, where it is no JSON. */
  content: string;
  headers: Headers;
};

let counter = 0;

/** Ids that sort as they were made. */
export function newId(): string {
  counter += 1;
  return `0199b2c4-0000-7000-8000-${String(counter).padStart(12, "0")}`;
}

export function problem(status: number, code: string, extra: object = {}): Response {
  return Response.json(
    {
      type: `/problems/${code}`,
      title: code.replaceAll("-", " "),
      status,
      trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
      ...extra,
    },
    { status, headers: { "Content-Type": "application/problem+json" } },
  );
}

export function page<Item>(items: Item[]): Response {
  return Response.json({ items, next_cursor: null });
}

export class Backend {
  readonly calls: Call[] = [];
  readonly accounts: Account[] = [];
  readonly projects: (Project & { members: Member[] })[] = [];
  readonly tokens: Token[] = [];
  readonly sessions: OpenSession[] = [];
  readonly audit: AuditEvent[] = [];
  readonly csrfToken = "csrf-of-the-session";
  /** Who is signed in. */
  user: Account | null = null;
  readonly #routes: Route[] = [];

  constructor() {
    registerSession(this);
    registerProjects(this);
    registerTokens(this);
    registerAdmin(this);
  }

  /** Adds or replaces a route; `{}` stands for an id, `{...}` for a path: `"GET /api/v1/runs/{}"`. The last one wins. */
  on(route: string, answer: Route["answer"]): void {
    const [method = "GET", path = "/"] = route.split(" ");
    const pattern = new RegExp(`^${path.replaceAll("{}", "([^/]+)").replaceAll("{...}", "(.+)")}$`);
    this.#routes.unshift({ method, pattern, answer });
  }

  async handle(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const text = await request.text();
    const isJson = request.headers.get("Content-Type")?.includes("json");
    const body = text && isJson ? JSON.parse(text) : {};
    this.calls.push({ method: request.method, path: url.pathname, body, headers: request.headers });
    const open = ["/auth/login", "/auth/register", "/auth/password-reset"];
    const anonymous = open.some((path) => url.pathname.startsWith(path));
    if (!this.user && !anonymous) return problem(401, "not-signed-in");
    const unsafe = !["GET", "HEAD"].includes(request.method);
    if (unsafe && !anonymous && request.headers.get("X-CSRF-Token") !== this.csrfToken) {
      return problem(403, "csrf-token-invalid");
    }
    for (const { method, pattern, answer } of this.#routes) {
      const match = pattern.exec(url.pathname);
      if (method !== request.method || !match) continue;
      const params = match.slice(1).map(decodeURIComponent);
      const content = isJson ? "" : text;
      return answer({ params, query: url.searchParams, body, content, headers: request.headers });
    }
    return problem(404, "not-found");
  }

  addAccount(name: string, change: Partial<Account> = {}): Account {
    const account: Account = {
      id: newId(),
      name,
      email: `${name.toLowerCase().replaceAll(" ", ".")}@example.org`,
      password: "correct horse battery",
      is_admin: false,
      status: "active",
      created_at: "2026-03-01T09:00:00.000000Z",
      last_login_at: "2026-11-20T08:00:00.000000Z",
      ...change,
    };
    this.accounts.push(account);
    return account;
  }

  addProject(name: string, members: [Account, Role][], change: Partial<Project> = {}) {
    const project = {
      id: newId(),
      slug: name.toLowerCase().replaceAll(" ", "-"),
      name,
      description: "",
      role: "viewer" as Role,
      member_count: members.length,
      version: 1,
      created_at: "2026-05-04T10:00:00.000000Z",
      updated_at: "2026-05-04T10:00:00.000000Z",
      archived_at: null,
      ...change,
      members: members.map(([account, role]) => ({
        user_id: account.id,
        name: account.name,
        email: account.email,
        role,
        added_at: "2026-05-04T10:00:00.000000Z",
      })),
    };
    this.projects.push(project);
    return project;
  }

  /** The project as the signed-in person sees it, or nothing. */
  seen(id: string): (Project & { members: Member[] }) | null {
    const project = this.projects.find((one) => one.id === id);
    const own = project?.members.find((member) => member.user_id === this.user?.id);
    if (!project || !own) return null;
    return { ...project, role: own.role, member_count: project.members.length };
  }

  withProject(
    id: string,
    answer: (project: Project & { members: Member[] }) => Response,
  ): Response {
    const seen = this.seen(id);
    return seen ? answer(seen) : problem(404, "not-found");
  }

  session(status = 200): Response {
    if (!this.user) return problem(401, "not-signed-in");
    const { id, email, name, is_admin, created_at } = this.user;
    const user = {
      id,
      email,
      name,
      is_admin,
      created_at,
      session_id: this.sessions[0]?.id ?? null,
    };
    return Response.json({ user, csrf_token: this.csrfToken }, { status });
  }
}

function registerSession(backend: Backend): void {
  const byEmail = (email: unknown) => backend.accounts.find((one) => one.email === email);
  backend.on("GET /auth/me", () => backend.session());
  backend.on("PATCH /auth/me", ({ body }) => {
    if (backend.user) Object.assign(backend.user, body);
    return Response.json(backend.user);
  });
  backend.on("POST /auth/login", ({ body }) => {
    const account = byEmail(body.email);
    if (!account || account.password !== body.password) return problem(401, "wrong-credentials");
    backend.user = account;
    return backend.session();
  });
  backend.on("POST /auth/register", ({ body }) => {
    if (byEmail(body.email)) return problem(409, "email-taken");
    backend.user = backend.addAccount(String(body.name), {
      email: String(body.email),
      password: String(body.password),
    });
    return backend.session(201);
  });
  backend.on("POST /auth/logout", () => {
    backend.user = null;
    return new Response(null, { status: 204 });
  });
  backend.on("POST /auth/logout-everywhere", () => {
    backend.user = null;
    backend.sessions.splice(0);
    return new Response(null, { status: 204 });
  });
  backend.on("POST /auth/password-reset", () => Response.json({}, { status: 202 }));
  backend.on("POST /auth/password-reset/confirm", ({ body }) =>
    body.token === "good"
      ? new Response(null, { status: 204 })
      : problem(410, "reset-token-invalid"),
  );
  backend.on("POST /auth/change-password", ({ body }) => {
    if (!backend.user || body.current_password !== backend.user.password)
      return problem(403, "wrong-password");
    backend.user.password = String(body.new_password);
    return new Response(null, { status: 204 });
  });
  backend.on("GET /auth/sessions", () => page(backend.sessions));
  backend.on("DELETE /auth/sessions/{}", ({ params: [id] }) => {
    const index = backend.sessions.findIndex((one) => one.id === id);
    backend.sessions.splice(index, 1);
    return new Response(null, { status: 204 });
  });
}

function registerProjects(backend: Backend): void {
  backend.on("GET /api/v1/projects", ({ query }) => {
    const archived = query.get("archived") ?? "false";
    const q = query.get("q")?.toLowerCase();
    const slug = query.get("slug");
    const found = backend.projects
      .map((project) => backend.seen(project.id))
      .filter((project) => project !== null)
      .filter((project) => archived === "all" || String(project.archived_at !== null) === archived)
      .filter((project) => !slug || project.slug === slug)
      .filter((project) => !q || `${project.name} ${project.slug}`.toLowerCase().includes(q));
    return page(found);
  });
  backend.on("POST /api/v1/projects", ({ body }) => {
    const name = String(body.name);
    const slug = body.slug ? String(body.slug) : name.toLowerCase().replaceAll(" ", "-");
    if (backend.projects.some((project) => project.slug === slug)) {
      return problem(409, "project-slug-taken");
    }
    if (!backend.user) return problem(401, "not-signed-in");
    const description = String(body.description ?? "");
    const made = backend.addProject(name, [[backend.user, "owner"]], { slug, description });
    return Response.json(backend.seen(made.id), { status: 201 });
  });
  backend.on("PATCH /api/v1/projects/{}", ({ params: [id = ""], body, headers }) =>
    backend.withProject(id, ({ version }) => {
      if (headers.get("If-Match") !== `"${version}"`) return problem(412, "precondition-failed");
      const project = backend.projects.find((one) => one.id === id);
      if (project) Object.assign(project, body, { version: version + 1 });
      return Response.json(backend.seen(id));
    }),
  );
  const archive = (id: string, at: string | null) => {
    const project = backend.projects.find((one) => one.id === id);
    if (project) project.archived_at = at;
  };
  backend.on("DELETE /api/v1/projects/{}", ({ params: [id = ""] }) => {
    archive(id, "2026-11-23T08:00:00.000000Z");
    return new Response(null, { status: 204 });
  });
  backend.on("POST /api/v1/projects/{}/restore", ({ params: [id = ""] }) => {
    archive(id, null);
    return Response.json(backend.seen(id));
  });
  backend.on("GET /api/v1/projects/{}/members", ({ params: [id = ""] }) =>
    backend.withProject(id, ({ members }) => page(members)),
  );
  backend.on("PUT /api/v1/projects/{}/members/{}", ({ params: [id = "", userId], body }) => {
    const project = backend.projects.find((one) => one.id === id);
    const account = backend.accounts.find((one) => one.id === userId);
    if (!project || !account) return problem(404, "not-found");
    const role = body.role as Role;
    const present = project.members.find((member) => member.user_id === userId);
    if (present) present.role = role;
    else {
      project.members.push({
        user_id: account.id,
        name: account.name,
        email: account.email,
        role,
        added_at: "2026-11-23T08:00:00.000000Z",
      });
    }
    return Response.json(project.members.find((member) => member.user_id === userId));
  });
  backend.on("DELETE /api/v1/projects/{}/members/{}", ({ params: [id = "", userId] }) => {
    const members = backend.projects.find((one) => one.id === id)?.members ?? [];
    members.splice(
      members.findIndex((member) => member.user_id === userId),
      1,
    );
    return new Response(null, { status: 204 });
  });
  backend.on("GET /api/v1/users", ({ query }) => {
    const q = (query.get("q") ?? "").toLowerCase();
    return page(
      backend.accounts
        .filter(({ name, email }) => `${name} ${email}`.toLowerCase().includes(q))
        .map(({ id, name, email }) => ({ id, name, email })),
    );
  });
  backend.on("GET /api/v1/projects/{}/audit", ({ params: [id], query }) =>
    page(audited(backend, query).filter((event) => event.project_id === id)),
  );
}

/** What the filters leave; the server knows more of them. */
function audited(backend: Backend, query: URLSearchParams): AuditEvent[] {
  const fits = (name: "actor_id" | "target_id" | "result", event: AuditEvent) =>
    !query.get(name) || event[name] === query.get(name);
  const action = query.get("action") ?? "";
  return backend.audit.filter(
    (event) =>
      (action.endsWith(".")
        ? event.action.startsWith(action)
        : !action || event.action === action) &&
      fits("actor_id", event) &&
      fits("target_id", event) &&
      fits("result", event) &&
      JSON.stringify(event).includes(query.get("q") ?? ""),
  );
}

function registerTokens(backend: Backend): void {
  backend.on("GET /api/v1/projects/{}/tokens", ({ params: [id] }) =>
    page(backend.tokens.filter((token) => token.project_id === id)),
  );
  backend.on("GET /api/v1/tokens", () =>
    page(backend.tokens.filter((token) => token.user_id === backend.user?.id)),
  );
  backend.on("POST /api/v1/projects/{}/tokens", ({ params: [id = ""], body }) => {
    const token: Token = {
      id: newId(),
      name: String(body.name),
      project_id: id,
      user_id: backend.user?.id ?? "",
      user_name: backend.user?.name ?? "",
      role: body.role as Role,
      key_id: "8FkQ2mZx",
      created_at: "2026-11-23T08:00:00.000000Z",
      expires_at: body.expires_in_days === null ? null : "2027-02-21T08:00:00.000000Z",
      last_used_at: null,
      revoked_at: null,
    };
    backend.tokens.unshift(token);
    const secret = `rb_pat_8FkQ2mZx_${"s".repeat(43)}_1a2B3c`;
    return Response.json({ ...token, token: secret }, { status: 201 });
  });
  backend.on("DELETE /api/v1/tokens/{}", ({ params: [id] }) => {
    const token = backend.tokens.find((one) => one.id === id);
    if (token) token.revoked_at = "2026-11-23T08:00:00.000000Z";
    return new Response(null, { status: 204 });
  });
}

function registerAdmin(backend: Backend): void {
  backend.on("GET /api/v1/admin/users", ({ query }) => {
    const q = (query.get("q") ?? "").toLowerCase();
    const status = query.get("status");
    return page(
      backend.accounts.filter(
        (one) =>
          `${one.name} ${one.email}`.toLowerCase().includes(q) &&
          (!status || one.status === status),
      ),
    );
  });
  const change = (id: string | undefined, what: Partial<User>) => {
    const account = backend.accounts.find((one) => one.id === id);
    if (!account) return problem(404, "not-found");
    Object.assign(account, what);
    return Response.json(account);
  };
  backend.on("POST /api/v1/admin/users/{}/deactivate", ({ params: [id] }) =>
    change(id, { status: "deactivated" }),
  );
  backend.on("POST /api/v1/admin/users/{}/activate", ({ params: [id] }) =>
    change(id, { status: "active" }),
  );
  backend.on("PATCH /api/v1/admin/users/{}", ({ params: [id], body }) => {
    const admins = backend.accounts.filter((one) => one.is_admin);
    if (body.is_admin === false && admins.length === 1) return problem(409, "last-admin");
    return change(id, { is_admin: Boolean(body.is_admin) });
  });
  backend.on(
    "POST /api/v1/admin/users/{}/reset-password",
    () => new Response(null, { status: 204 }),
  );
  backend.on("GET /api/v1/admin/audit", ({ query }) => page(audited(backend, query)));
}
