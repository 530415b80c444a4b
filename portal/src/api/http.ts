/** One way to the server: same-origin cookies, CSRF header, problems as errors. The generated client calls it too. */

import { reportConnection } from "@/api/connection";
import { isProblem, networkProblem, Problem, problemFrom } from "@/api/problem";
import { newTrace } from "@/api/trace";

const base = import.meta.env.VITE_API_URL ?? "";
// auth-proxy has no session, or the services no longer take its token. A wrong password is neither.
const sessionGone = new Set(["not-signed-in", "unauthenticated"]);
const safeMethods = new Set(["GET", "HEAD", "OPTIONS"]);

let csrfToken: string | null = null;
let renewCsrfToken: (() => Promise<unknown>) | null = null;
const signedOutListeners = new Set<() => void>();

export function setCsrfToken(token: string | null): void {
  csrfToken = token;
}

/** How to fetch a fresh CSRF token, used once when the server refuses ours (signed in again in another tab). */
export function setCsrfRenewal(renew: () => Promise<unknown>): void {
  renewCsrfToken = renew;
}

/** Called when an answer says that the session is gone. */
export function onSignedOut(listener: () => void): () => void {
  signedOutListeners.add(listener);
  return () => signedOutListeners.delete(listener);
}

/** Full address of an API path, for EventSource and for snippets that people copy. */
export function address(path: string): string {
  return new URL(`${base}${path}`, window.location.origin).href;
}

export function request<T>(path: string, init: RequestInit = {}): Promise<T> {
  return withFreshToken(() => attempt<T>(path, init));
}

/** Does it once more with a fresh CSRF token when the server refuses ours. */
export async function withFreshToken<T>(send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (
      isProblem(error) &&
      error.status === 403 &&
      error.code.startsWith("csrf") &&
      renewCsrfToken
    ) {
      await renewCsrfToken();
      return send();
    }
    throw error;
  }
}

/** The header by which a page shows that a change is its own. */
export function csrfHeader(): Record<string, string> {
  return csrfToken ? { "X-CSRF-Token": csrfToken } : {};
}

/** The problem of a failed answer; whoever waits for the end of the session hears of it. */
export async function refused(response: Response, traceId: string): Promise<Problem> {
  const problem = await problemFrom(response, traceId);
  if (response.status === 401 && sessionGone.has(problem.code)) {
    for (const listener of signedOutListeners) listener();
  }
  return problem;
}

async function attempt<T>(path: string, init: RequestInit): Promise<T> {
  const headers = new Headers(init.headers);
  if (!headers.has("Accept")) headers.set("Accept", "application/json, application/problem+json");
  const unsafe = !safeMethods.has((init.method ?? "GET").toUpperCase());
  if (unsafe && !headers.has("Content-Type")) headers.set("Content-Type", "application/json");
  if (unsafe && csrfToken) headers.set("X-CSRF-Token", csrfToken);
  const trace = newTrace();
  headers.set("traceparent", trace.traceparent);

  let response: Response;
  try {
    response = await fetch(address(path), { ...init, headers, credentials: "same-origin" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    reportConnection("http", navigator.onLine ? "reconnecting" : "offline");
    throw networkProblem(trace.id);
  }
  const unreachable = response.status >= 502 && response.status <= 504;
  reportConnection("http", unreachable ? "reconnecting" : "connected");

  if (!response.ok) throw await refused(response, trace.id);
  if (response.status === 204 || response.headers.get("Content-Length") === "0") {
    return undefined as T;
  }
  try {
    return (await response.json()) as T;
  } catch {
    throw new Problem({ status: response.status, type: "/problems/unreadable-answer" });
  }
}

/** A fresh key for a POST that creates, so that a repeat after a lost answer creates nothing twice. */
export function idempotent(key: string = crypto.randomUUID()): RequestInit {
  return { headers: { "Idempotency-Key": key } };
}

/** `If-Match` for a PATCH of something versioned. */
export function ifVersion(version: number): RequestInit {
  return { headers: { "If-Match": `"${version}"` } };
}
