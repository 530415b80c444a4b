/** How the portal keeps what the server said. */

import { QueryClient } from "@tanstack/react-query";
import { isProblem } from "@/api/problem";

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        // What the server refused stays refused; only silence and overload are worth another try.
        retry: (failures, error) =>
          failures < 2 && isProblem(error) && (error.status === 0 || error.status >= 502),
      },
      mutations: { retry: false },
    },
  });
}
