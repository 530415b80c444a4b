import { screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { Backend } from "@/testing/backend";
import { renderApp } from "@/testing/render";

function someone(): Backend {
  const backend = new Backend();
  backend.addAccount("Ada Lovelace");
  return backend;
}

test("who signs in arrives at the page they wanted", async () => {
  const { user, where } = await renderApp("/me", someone());
  await user.type(await screen.findByLabelText("E-mail"), "ada.lovelace@example.org");
  await user.type(screen.getByLabelText("Password"), "correct horse battery");
  await user.click(screen.getByRole("button", { name: "Sign in" }));
  expect(await screen.findByRole("heading", { name: "Your profile" })).toBeVisible();
  expect(where()).toBe("/me");
});

test("a wrong password is said in words and leaves the address filled in", async () => {
  const { user } = await renderApp("/login", someone());
  await user.type(await screen.findByLabelText("E-mail"), "ada.lovelace@example.org");
  await user.type(screen.getByLabelText("Password"), "guess");
  await user.click(screen.getByRole("button", { name: "Sign in" }));
  expect(await screen.findByRole("alert")).toHaveTextContent(
    "The e-mail address or the password is wrong.",
  );
  expect(screen.getByLabelText("E-mail")).toHaveValue("ada.lovelace@example.org");
});

test("empty fields are named before anything is sent", async () => {
  const backend = someone();
  const { user } = await renderApp("/login", backend);
  await user.click(await screen.findByRole("button", { name: "Sign in" }));
  expect(await screen.findByText("Enter your e-mail address.")).toBeVisible();
  expect(screen.getByText("Enter your password.")).toBeVisible();
  expect(backend.calls.filter((call) => call.path === "/auth/login")).toEqual([]);
});

test("the wanted page is never on another site", async () => {
  const backend = someone();
  backend.user = backend.accounts[0] ?? null;
  const { where } = await renderApp("/login?next=//evil.example/steal", backend);
  await waitFor(() => expect(where()).toBe("/"));
});
