import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { bench } from "@/testing/bench";
import { renderApp } from "@/testing/render";

async function fill(email: string, password: string) {
  const { backend } = bench();
  backend.user = null;
  const { user, where } = await renderApp("/register", backend);
  await user.type(await screen.findByLabelText("Name"), "Grace Hopper");
  await user.type(screen.getByLabelText("E-mail"), email);
  await user.type(screen.getByLabelText("Password"), password);
  await user.click(screen.getByRole("button", { name: "Create account" }));
  return { backend, where };
}

test("who registers is signed in and sees what to do first", async () => {
  await fill("grace@example.org", "a dozen of letters");
  expect(await screen.findByRole("heading", { name: "Hello, Grace Hopper" })).toBeVisible();
  expect(await screen.findByText("Start with a project")).toBeVisible();
});

test("an address that is taken is said at its field", async () => {
  await fill("ada.lovelace@example.org", "a dozen of letters");
  const field = await screen.findByLabelText("E-mail");
  expect(field).toHaveAccessibleDescription("This e-mail address already has an account.");
  expect(field).toHaveFocus();
});

test("a short password is refused before it is sent", async () => {
  const { backend } = await fill("grace@example.org", "short");
  expect(await screen.findByText("The password needs at least 12 characters.")).toBeVisible();
  expect(backend.calls.some((call) => call.path === "/auth/register")).toBe(false);
});
