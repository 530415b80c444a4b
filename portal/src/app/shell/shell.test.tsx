import { fireEvent, screen, waitFor } from "@testing-library/react";
import { HttpResponse, http } from "msw";
import { expect, test } from "vitest";
import { bench } from "@/testing/bench";
import { renderApp } from "@/testing/render";
import { server } from "@/testing/server";
import { setPreferences } from "@/ui/preferences";

test("an address that is none gets a page that helps", async () => {
  const { backend } = bench();
  await renderApp("/no/such/page", backend);
  expect(await screen.findByRole("heading", { name: "There is nothing here" })).toBeVisible();
  expect(screen.getByRole("link", { name: "Go home" })).toHaveAttribute("href", "/");
});

test("a session that ended elsewhere leads to the sign-in page and back", async () => {
  const { backend, ada } = bench();
  const { user, where } = await renderApp("/p", backend);
  await screen.findByRole("link", { name: "Motor bench" });
  backend.user = null;
  await user.type(screen.getByRole("searchbox"), "x");
  await waitFor(() => expect(where()).toMatch(/^\/login\?next=/));
  await user.type(await screen.findByLabelText("E-mail"), ada.email);
  await user.type(screen.getByLabelText("Password"), ada.password);
  await user.click(screen.getByRole("button", { name: "Sign in" }));
  expect(await screen.findByRole("heading", { name: "Projects" })).toBeVisible();
});

test("signing out ends the session on the server", async () => {
  const { backend } = bench();
  const { user, where } = await renderApp("/", backend);
  await user.click(await screen.findByRole("button", { name: "Your account" }));
  await user.click(await screen.findByRole("menuitem", { name: "Sign out" }));
  await waitFor(() => expect(where()).toBe("/login"));
  expect(backend.user).toBeNull();
});

test("shortcuts go by the place of the key, so a Russian layout works", async () => {
  const { backend } = bench();
  const { where } = await renderApp("/", backend);
  await screen.findByRole("heading", { name: /Hello/ });
  fireEvent.keyDown(window, { key: "п", code: "KeyG" });
  fireEvent.keyDown(window, { key: "з", code: "KeyP" });
  await waitFor(() => expect(where()).toBe("/p"));
});

test("single keys are silent in text fields and when they are switched off", async () => {
  const { backend } = bench();
  const { user, where } = await renderApp("/p", backend);
  await user.type(await screen.findByRole("searchbox"), "gh");
  expect(where()).toMatch(/^\/p/);
  setPreferences({ shortcuts: false });
  fireEvent.keyDown(document.body, { key: "g", code: "KeyG" });
  fireEvent.keyDown(document.body, { key: "h", code: "KeyH" });
  expect(where()).toMatch(/^\/p/);
});

test("the question mark lists the shortcuts", async () => {
  const { backend } = bench();
  await renderApp("/", backend);
  await screen.findByRole("heading", { name: /Hello/ });
  fireEvent.keyDown(document.body, { key: "?", code: "Slash", shiftKey: true });
  expect(await screen.findByText("Open the command palette")).toBeVisible();
});

test("the palette finds a project by its name", async () => {
  const { backend } = bench();
  const { user, where } = await renderApp("/", backend);
  await screen.findByRole("heading", { name: /Hello/ });
  fireEvent.keyDown(document.body, { key: "л", code: "KeyK", ctrlKey: true });
  await user.type(await screen.findByLabelText("Search and commands"), "motor");
  await user.click(await screen.findByText("motor-bench", { selector: "[data-action] *" }));
  await waitFor(() => expect(where()).toBe("/p/motor-bench"));
});

test("a server that falls silent is said in the bar, and the page comes back by itself", async () => {
  const { backend, ada } = bench();
  const { user } = await renderApp("/p", backend);
  await screen.findByRole("link", { name: "Motor bench" });
  let silent = true;
  server.use(
    http.all("*", ({ request }) => (silent ? HttpResponse.error() : backend.handle(request))),
  );
  await user.type(screen.getByRole("searchbox"), "d");
  expect(await screen.findByText("Reconnecting…")).toBeVisible();
  expect(await screen.findByRole("alert")).toHaveTextContent("The server does not answer");
  backend.addProject("Digits", [[ada, "owner"]]);
  silent = false;
  expect(await screen.findByRole("link", { name: "Digits" })).toBeVisible();
  expect(screen.queryByText("Reconnecting…")).toBeNull();
});

test("a refused CSRF token is renewed once, and the person notices nothing", async () => {
  const { backend } = bench();
  const { user } = await renderApp("/p?create=true", backend);
  await user.type(await screen.findByLabelText("Name"), "Digits");
  Object.assign(backend, { csrfToken: "csrf-of-another-sign-in" });
  await user.click(screen.getByRole("button", { name: "Create project" }));
  await waitFor(() => expect(backend.projects.map(({ name }) => name)).toContain("Digits"));
});
