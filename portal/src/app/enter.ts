import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useCallback } from "react";
import { type SignedIn, sessionQuery } from "@/api/session";

/** Where to go after signing in: only a path of ours, never another site. */
export function safeNext(next: string | undefined): string {
  if (!next?.startsWith("/")) return "/";
  const target = new URL(next, window.location.origin);
  const leaves = target.origin !== window.location.origin || target.pathname === "/login";
  return leaves ? "/" : target.pathname + target.search + target.hash;
}

/** Takes the person who just signed in to the page they wanted. */
export function useEnter(next: string | undefined): (user: SignedIn) => void {
  const queryClient = useQueryClient();
  const router = useRouter();
  return useCallback(
    (user) => {
      queryClient.clear();
      queryClient.setQueryData(sessionQuery.queryKey, user);
      router.history.push(safeNext(next));
    },
    [queryClient, router, next],
  );
}
