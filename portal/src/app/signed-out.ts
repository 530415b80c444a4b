import type { QueryClient } from "@tanstack/react-query";
import type { AnyRouter } from "@tanstack/react-router";
import { onSignedOut } from "@/api/http";
import { sessionQuery } from "@/api/session";

/** When the server says that the session is gone, forgets what it said before and asks to sign in. */
export function leaveWhenSignedOut(client: QueryClient, router: AnyRouter): () => void {
  return onSignedOut(() => {
    if (!client.getQueryData(sessionQuery.queryKey)) return;
    client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionQuery.queryKey[0] });
    client.setQueryData(sessionQuery.queryKey, null);
    void router.invalidate();
  });
}
