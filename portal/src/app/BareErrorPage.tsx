import type { ErrorComponentProps } from "@tanstack/react-router";
import { RouteErrorPage } from "@/app/RouteErrorPage";

/** An error before there is a shell to show it in: the server is away, or the shell itself failed. */
export function BareErrorPage(props: ErrorComponentProps) {
  return (
    <main>
      <RouteErrorPage {...props} />
    </main>
  );
}
