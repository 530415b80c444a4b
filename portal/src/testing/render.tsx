import { createMemoryHistory } from "@tanstack/react-router";
import { render } from "@testing-library/react";
import userEvent, { type UserEvent } from "@testing-library/user-event";
import { http } from "msw";
import { onTestFinished, vi } from "vitest";
import { Application } from "@/app/Application";
import { activate } from "@/app/i18n";
import { createQueryClient } from "@/app/queries";
import { createAppRouter } from "@/app/router";
import { leaveWhenSignedOut } from "@/app/signed-out";
import type { Backend } from "@/testing/backend";
import { server } from "@/testing/server";
import { type Language, setPreferences } from "@/ui/preferences";

export type Rendered = {
  user: UserEvent;
  /** The address as the browser would show it. */
  where: () => string;
};

/** The whole portal at an address, in front of a fake backend. */
export async function renderApp(
  path: string,
  backend: Backend,
  { language = "en" }: { language?: Language } = {},
): Promise<Rendered> {
  server.use(http.all("*", ({ request }) => backend.handle(request)));
  setPreferences({ language });
  await activate(language);
  const queryClient = createQueryClient();
  queryClient.setDefaultOptions({ queries: { retry: false } });
  const router = createAppRouter(queryClient, createMemoryHistory({ initialEntries: [path] }));
  leaveWhenSignedOut(queryClient, router);
  // A page that is still being opened when its test has ended would go on without a window.
  onTestFinished(async () => {
    const settled = () => router.state.status === "idle" || Promise.reject(new Error("loading"));
    await vi.waitFor(settled, { timeout: 1000 }).catch(() => {});
  });
  render(<Application queryClient={queryClient} router={router} env="test" />);
  return {
    user: userEvent.setup(),
    where: () => router.state.location.href,
  };
}
