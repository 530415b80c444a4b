import { screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { bench } from "@/testing/bench";
import { renderApp } from "@/testing/render";

function asAdmin() {
  const made = bench();
  made.ada.is_admin = true;
  return made;
}

test("an administrator deactivates an account and can take it back", async () => {
  const { backend, boris } = asAdmin();
  const { user } = await renderApp("/admin/users", backend);
  await user.click(await screen.findByRole("button", { name: "Actions for Boris Rauschenbach" }));
  await user.click(await screen.findByRole("menuitem", { name: "Deactivate" }));
  await waitFor(() => expect(boris.status).toBe("deactivated"));
  await user.click(await screen.findByRole("button", { name: "Undo" }));
  await waitFor(() => expect(boris.status).toBe("active"));
});

test("the last administrator stays one, and is told why", async () => {
  const { backend, ada } = asAdmin();
  const { user } = await renderApp("/admin/users", backend);
  await user.click(await screen.findByRole("button", { name: "Actions for Ada Lovelace" }));
  await user.click(await screen.findByRole("menuitem", { name: "Take administration away" }));
  expect(await screen.findByText(/There must be at least one administrator/)).toBeVisible();
  expect(ada.is_admin).toBe(true);
});

test("a reset link is sent, never a password shown", async () => {
  const { backend, boris } = asAdmin();
  const { user } = await renderApp("/admin/users", backend);
  await user.click(await screen.findByRole("button", { name: "Actions for Boris Rauschenbach" }));
  await user.click(await screen.findByRole("menuitem", { name: "Send a password reset link" }));
  expect(await screen.findByText(/reset link is on its way/)).toBeVisible();
  expect(backend.calls.at(-1)?.path).toBe(`/api/v1/admin/users/${boris.id}/reset-password`);
});

test("for others the page does not exist", async () => {
  const { backend } = bench();
  await renderApp("/admin/users", backend);
  expect(await screen.findByRole("heading", { name: "There is nothing here" })).toBeVisible();
  expect(screen.queryByRole("link", { name: "Users" })).toBeNull();
});
