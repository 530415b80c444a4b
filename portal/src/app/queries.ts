/** How the portal keeps what the server said. */

import { QueryClient } from "@tanstack/react-query";
import { isProblem } from "@/api/problem";

/** Somebody who waits longer wants to be told, and asks again by a button. */
const PATIENCE_SEC = 10;

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        // What the server refused stays refused; only silence, overload and a limit that is soon over are worth
        // another try.
        retry: (failures, error) =>
          failures < 2 &&
          isProblem(error) &&
          (error.status === 0 || error.status >= 502 || askedToWait(error) !== null),
        retryDelay: (failures, error) => 1000 * (askedToWait(error) ?? 2 ** failures),
      },
      mutations: { retry: false },
    },
  });
}

/** The seconds until a limit lets the same request in, where they are few. */
function askedToWait(error: unknown): number | null {
  if (!isProblem(error) || error.status !== 429 || error.retryAfter === null) return null;
  return error.retryAfter <= PATIENCE_SEC ? error.retryAfter : null;
}
