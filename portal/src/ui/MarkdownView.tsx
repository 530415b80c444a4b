import { Skeleton } from "@mantine/core";
import { lazy, Suspense } from "react";

const Rendered = lazy(() => import("@/ui/MarkdownRendered"));

/** Markdown written by people, made safe. The parser is loaded when the first text is shown. */
export function MarkdownView({ text }: { text: string }) {
  return (
    <Suspense fallback={<Skeleton height="4rem" />}>
      <Rendered text={text} />
    </Suspense>
  );
}
