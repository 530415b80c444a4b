import { createFileRoute } from "@tanstack/react-router";
import { PublicLayout } from "@/app/PublicLayout";

/** Pages for people who are not signed in. */
export const Route = createFileRoute("/_public")({ component: PublicLayout });
