import { Trans } from "@lingui/react/macro";
import type { QueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { isProblem } from "@/api/problem";
import { logout, sessionQuery } from "@/api/session";
import { announceFailure } from "@/ui/notices";

/** Ends the session on the server first: a page that only looks signed out would be a trap. */
export function useSignOut(client: QueryClient): () => Promise<void> {
  const navigate = useNavigate();
  return async () => {
    try {
      await logout();
    } catch (error) {
      if (!isProblem(error) || error.status !== 401) {
        announceFailure(<Trans>You are still signed in</Trans>, error);
        return;
      }
    }
    client.clear();
    client.setQueryData(sessionQuery.queryKey, null);
    await navigate({ to: "/login" });
  };
}
