import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { newId } from "@/testing/backend";
import { bench } from "@/testing/bench";
import { renderApp } from "@/testing/render";

function withSessions() {
  const made = bench();
  for (const [current, user_agent] of [
    [true, "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36"],
    [false, "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/150.0"],
  ] as const) {
    made.backend.sessions.push({
      id: newId(),
      created_at: "2026-11-20T08:00:00.000000Z",
      last_used_at: "2026-11-23T08:00:00.000000Z",
      address: "10.0.0.4",
      user_agent,
      current,
    });
  }
  return made;
}

test("a new name shows in the menu at once", async () => {
  const { backend } = withSessions();
  const { user } = await renderApp("/me", backend);
  const name = await screen.findByLabelText("Name");
  await user.clear(name);
  await user.type(name, "Ada King");
  await user.click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByText("Saved")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Your account" }));
  expect(await screen.findByText("Ada King")).toBeVisible();
});

test("a wrong current password is said at its field", async () => {
  const { backend } = withSessions();
  const { user } = await renderApp("/me", backend);
  await user.type(await screen.findByLabelText("Current password"), "wrong");
  await user.type(screen.getByLabelText("New password"), "another dozen letters");
  await user.click(screen.getByRole("button", { name: "Change the password" }));
  await waitFor(() => expect(screen.getByLabelText("Current password")).toBeInvalid());
});

test("another session can be ended, this one not by accident", async () => {
  const { backend } = withSessions();
  const { user } = await renderApp("/me", backend);
  const table = await screen.findByRole("table", { name: "Sessions" });
  const row = within(table).getByRole("row", { name: /Firefox · Windows/ });
  const own = within(table).getByRole("row", { name: /Chrome · Linux this one/ });
  expect(within(own).queryByRole("button")).toBeNull();
  await user.click(within(row).getByRole("button", { name: "End session" }));
  await waitFor(() => expect(backend.sessions).toHaveLength(1));
});

test("signing out everywhere asks first and ends at the sign-in page", async () => {
  const { backend } = withSessions();
  const { user, where } = await renderApp("/me", backend);
  await user.click(await screen.findByRole("button", { name: "Sign out everywhere" }));
  const question = screen.getByRole("group", { name: /this one too/ });
  await user.click(within(question).getByRole("button", { name: "Sign out everywhere" }));
  await waitFor(() => expect(where()).toBe("/login"));
  expect(backend.user).toBeNull();
});

test("the language changes at once and is kept", async () => {
  const { backend } = withSessions();
  const { user } = await renderApp("/me", backend);
  await user.click(await screen.findByRole("combobox", { name: "Language" }));
  await user.click(await screen.findByRole("option", { name: "Русский" }));
  expect(await screen.findByRole("heading", { name: "Ваш профиль" })).toBeVisible();
  expect(document.documentElement.lang).toBe("ru");
  expect(localStorage.getItem("runbench.language")).toBe("ru");
});
