import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterAll, afterEach, beforeAll, vi } from "vitest";
import { reportConnection } from "@/api/connection";
import { setCsrfToken } from "@/api/http";
import { server } from "@/testing/server";
import { reloadPreferences } from "@/ui/preferences";

// What jsdom lacks and Mantine, the virtualiser and the router ask for.
window.matchMedia ??= (query) =>
  ({
    matches: false,
    media: query,
    onchange: null,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
    addListener: () => undefined,
    removeListener: () => undefined,
    dispatchEvent: () => false,
  }) as MediaQueryList;

globalThis.ResizeObserver ??= class {
  observe() {}
  unobserve() {}
  disconnect() {}
};

Element.prototype.scrollIntoView ??= () => undefined;
window.scrollTo = () => undefined;
Object.defineProperty(document, "fonts", {
  value: { addEventListener: () => undefined, removeEventListener: () => undefined },
});

vi.stubGlobal("localStorage", window.localStorage);

// A page is fetched, rendered and drawn; on a busy machine that takes more than the usual second.
configure({ asyncUtilTimeout: 40_000, defaultHidden: true });

beforeAll(() => server.listen());

afterEach(() => {
  cleanup();
  server.resetHandlers();
  setCsrfToken(null);
  reportConnection("http", null);
  localStorage.clear();
  reloadPreferences();
});

afterAll(() => server.close());
