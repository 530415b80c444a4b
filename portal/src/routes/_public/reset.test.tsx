import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { Backend } from "@/testing/backend";
import { renderApp } from "@/testing/render";

test("asking for a link says the same whether the address is known or not", async () => {
  const { user } = await renderApp("/reset", new Backend());
  await user.type(await screen.findByLabelText("E-mail"), "nobody@example.org");
  await user.click(screen.getByRole("button", { name: "Send the link" }));
  expect(await screen.findByRole("status")).toHaveTextContent("Look into your mailbox");
});

test("the mailed link leads to a new password", async () => {
  const backend = new Backend();
  const { user } = await renderApp("/reset#token=good", backend);
  await user.type(await screen.findByLabelText("New password"), "another dozen letters");
  await user.click(screen.getByRole("button", { name: "Change the password" }));
  expect(await screen.findByRole("status")).toHaveTextContent("The password is changed");
  expect(backend.calls.at(-1)?.body).toEqual({
    token: "good",
    new_password: "another dozen letters",
  });
});

test("a link that was used says so and keeps the form", async () => {
  const { user } = await renderApp("/reset#token=old", new Backend());
  await user.type(await screen.findByLabelText("New password"), "another dozen letters");
  await user.click(screen.getByRole("button", { name: "Change the password" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("This reset link has been used");
});
