import { screen, waitFor } from "@testing-library/react";
import axe from "axe-core";
import { expect, test } from "vitest";
import { page } from "@/testing/backend";
import { bench } from "@/testing/bench";
import { Notifications } from "@/testing/notifications";
import { renderApp } from "@/testing/render";

// Colours are computed by no browser here: ui/palette.test.ts and ui/theme.test.ts see to contrast.
const rules = { "color-contrast": { enabled: false } };

const pages: [string, boolean][] = [
  ["/login", false],
  ["/register", false],
  ["/reset", false],
  ["/reset#token=x", false],
  ["/", true],
  ["/p", true],
  ["/p?create=true", true],
  ["/p/motor-bench", true],
  ["/p/motor-bench/members", true],
  ["/p/motor-bench/tokens", true],
  ["/p/motor-bench/webhooks", true],
  ["/p/motor-bench/notifications", true],
  ["/p/motor-bench/settings", true],
  ["/p/motor-bench/audit", true],
  ["/me", true],
  ["/admin/users", true],
  ["/admin/audit", true],
  ["/help/shortcuts", true],
  ["/nothing/here", true],
];
// What axe looks at here hardly differs by language; a few pages show that no name got lost.
const russian = ["/login", "/p", "/p/motor-bench/members", "/me"];
const cases = pages.flatMap(([path, signedIn]) => [
  [path, signedIn, "en"] as const,
  ...(russian.includes(path) ? [[path, signedIn, "ru"] as const] : []),
]);

test.for(cases)(
  "axe finds nothing on %s (signed in: %s, %s)",
  async ([path, signedIn, language]) => {
    const { backend, ada } = bench();
    ada.is_admin = true;
    if (!signedIn) backend.user = null;
    backend.on("GET /api/v1/projects/{}/experiments", () => page([]));
    backend.on("GET /api/v1/projects/{}/webhooks", () => page([]));
    backend.on("GET /api/v1/projects/{}/metric-watches", () => page([]));
    new Notifications(backend);
    await renderApp(path, backend, { language });
    await screen.findByRole("heading", { level: 1, hidden: true });
    await waitFor(() => expect(document.querySelector('[aria-busy="true"]')).toBeNull());
    const { violations } = await axe.run(document.body, { rules });
    const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    expect(grave.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
  },
);
