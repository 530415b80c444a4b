/** The error every failed request becomes: RFC 9457, or what we can say when the server said nothing. */

export type FieldError = {
  pointer?: string;
  parameter?: string;
  detail: string;
  /** Where in the value the mistake is, in characters. */
  position?: number;
  length?: number;
};

type ProblemBody = {
  type?: string;
  title?: string;
  status?: number;
  detail?: string | null;
  errors?: FieldError[] | null;
  trace_id?: string | null;
};

export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: number;
  /** The last part of the problem's `type`, for example `project-slug-taken`; `network` when no answer came. */
  readonly code: string;
  readonly title: string;
  readonly detail: string | null;
  readonly errors: FieldError[];
  readonly traceId: string | null;
  /** Seconds to wait, from Retry-After. */
  readonly retryAfter: number | null;

  constructor(body: ProblemBody & { status: number }, retryAfter: number | null = null) {
    super(body.detail ?? body.title ?? `HTTP ${body.status}`);
    this.status = body.status;
    this.code = body.type?.split("/").filter(Boolean).at(-1) ?? `http-${body.status}`;
    this.title = body.title ?? `HTTP ${body.status}`;
    this.detail = body.detail ?? null;
    this.errors = body.errors ?? [];
    this.traceId = body.trace_id ?? null;
    this.retryAfter = retryAfter;
  }

  /** Details by field name, the first level of each JSON pointer: `#/name` → `name`. */
  get fields(): Record<string, string> {
    const found: Record<string, string> = {};
    for (const error of this.errors) {
      const field = error.pointer?.replace(/^#?\//, "").split("/")[0] ?? error.parameter;
      if (field && !(field in found)) found[field] = error.detail;
    }
    return found;
  }
}

export function isProblem(error: unknown, code?: string): error is Problem {
  return error instanceof Problem && (code === undefined || error.code === code);
}

/** Reads the problem out of a failed answer, also when a proxy answered with HTML or nothing: then the
 * trace that the page began is what the servers know of it.
 */
export async function problemFrom(response: Response, traceId: string): Promise<Problem> {
  const retryAfter = Number(response.headers.get("Retry-After")) || null;
  try {
    const body: unknown = await response.json();
    if (typeof body === "object" && body !== null) {
      return new Problem({ trace_id: traceId, ...body, status: response.status }, retryAfter);
    }
  } catch {
    // Not JSON: the status has to do.
  }
  return new Problem({ status: response.status, trace_id: traceId }, retryAfter);
}

export function networkProblem(traceId: string): Problem {
  return new Problem({
    status: 0,
    type: "/problems/network",
    title: "No answer from the server",
    trace_id: traceId,
  });
}
