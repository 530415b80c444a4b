import { screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { problem } from "@/testing/backend";
import { bench } from "@/testing/bench";
import { renderApp } from "@/testing/render";

test("projects are found while one types, and the words stand in the address", async () => {
  const { backend, ada } = bench();
  backend.addProject("Digits", [[ada, "viewer"]]);
  const { user, where } = await renderApp("/p", backend);
  expect(await screen.findByRole("link", { name: "Digits" })).toBeVisible();
  await user.type(screen.getByRole("searchbox", { name: "Find a project" }), "motor");
  await waitFor(() => expect(screen.queryByRole("link", { name: "Digits" })).toBeNull());
  expect(screen.getByRole("link", { name: "Motor bench" })).toBeVisible();
  expect(where()).toBe("/p?q=motor");
});

test("archived projects are kept apart", async () => {
  const { backend, ada } = bench();
  backend.addProject("Old turbine", [[ada, "owner"]], { archived_at: "2026-10-01T00:00:00Z" });
  const { user } = await renderApp("/p", backend);
  expect(await screen.findByRole("link", { name: "Motor bench" })).toBeVisible();
  expect(screen.queryByRole("link", { name: "Old turbine" })).toBeNull();
  await user.click(screen.getByRole("radio", { name: "Archived" }));
  expect(await screen.findByRole("link", { name: "Old turbine" })).toBeVisible();
});

test("a new project opens on its own page with an idempotency key behind it", async () => {
  const { backend } = bench();
  backend.on("GET /api/v1/projects/{}/experiments", () =>
    Response.json({ items: [], next_cursor: null }),
  );
  const { user, where } = await renderApp("/p?create=true", backend);
  await user.type(await screen.findByLabelText("Name"), "Wind tunnel");
  await user.click(screen.getByRole("button", { name: "Create project" }));
  expect(await screen.findByRole("heading", { name: "Wind tunnel", level: 1 })).toBeVisible();
  expect(where()).toBe("/p/wind-tunnel");
  const call = backend.calls.find((one) => one.method === "POST");
  expect(call?.headers.get("Idempotency-Key")).toMatch(/^[0-9a-f-]{36}$/);
});

test("an address that is taken is said at its field", async () => {
  const { backend } = bench();
  const { user } = await renderApp("/p?create=true", backend);
  await user.type(await screen.findByLabelText("Name"), "Motor bench");
  await user.click(screen.getByRole("button", { name: "Create project" }));
  await waitFor(() =>
    expect(screen.getByLabelText("Address")).toHaveAccessibleDescription(/already exists/),
  );
});

test("a list that cannot be loaded shows the trace id and tries again", async () => {
  const { backend } = bench();
  let broken = true;
  const list = backend.addProject("Digits", [[backend.accounts[0] as never, "owner"]]);
  backend.on("GET /api/v1/projects", () =>
    broken
      ? problem(500, "internal-error")
      : Response.json({ items: [backend.seen(list.id)], next_cursor: null }),
  );
  const { user } = await renderApp("/p", backend);
  const alert = await screen.findByRole("alert");
  expect(alert).toHaveTextContent("The projects could not be loaded");
  expect(alert).toHaveTextContent("4bf92f3577b34da6a3ce929d0e0e4736");
  broken = false;
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByRole("link", { name: "Digits" })).toBeVisible();
});
