import type { QueryClient } from "@tanstack/react-query";

/** Asks again for everything under an API path, whatever its parameters: keys begin with the path. */
export function invalidatePath(client: QueryClient, ...paths: string[]): Promise<void> {
  return client.invalidateQueries({
    predicate: ({ queryKey: [first] }) =>
      typeof first === "string" &&
      paths.some((path) => first === path || first.startsWith(`${path}/`)),
  });
}
