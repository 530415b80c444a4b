import { createFileRoute } from "@tanstack/react-router";
import { NotFoundPage } from "@/app/NotFoundPage";

/** Every address that no other page claims. */
export const Route = createFileRoute("/_app/$")({ component: NotFoundPage });
