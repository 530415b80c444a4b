import { createFileRoute, redirect } from "@tanstack/react-router";
import { sessionQuery } from "@/api/session";
import { BareErrorPage } from "@/app/BareErrorPage";
import { Shell } from "@/app/shell/Shell";

/** Everything behind the sign-in. */
export const Route = createFileRoute("/_app")({
  beforeLoad: async ({ context, location }) => {
    const user = await context.queryClient.ensureQueryData(sessionQuery);
    if (!user) {
      const next = location.href === "/" ? undefined : location.href;
      throw redirect({ to: "/login", search: { next }, replace: true });
    }
    return { user };
  },
  component: Shell,
  errorComponent: BareErrorPage,
});
