import { createFileRoute, notFound, Outlet } from "@tanstack/react-router";

/** Pages of the platform's administrators; for others they do not exist. */
export const Route = createFileRoute("/_app/admin")({
  beforeLoad: ({ context }) => {
    if (!context.user.is_admin) throw notFound();
  },
  component: Outlet,
});
