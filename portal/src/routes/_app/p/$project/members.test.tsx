import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { bench } from "@/testing/bench";
import { renderApp } from "@/testing/render";

const page = "/p/motor-bench/members";

test("an owner finds a person while typing and adds them with a role", async () => {
  const { backend, wu, project } = bench();
  const { user } = await renderApp(page, backend);
  await user.type(await screen.findByLabelText("Person"), "chien");
  await user.click(await screen.findByRole("option", { name: /Chien-Shiung Wu/ }));
  await user.click(screen.getByRole("button", { name: "Add member" }));
  expect(await screen.findByText("Chien-Shiung Wu is a member now")).toBeVisible();
  const added = backend.projects.find(({ id }) => id === project.id)?.members;
  expect(added?.find((member) => member.user_id === wu.id)?.role).toBe("editor");
});

test("who is a member already cannot be chosen again", async () => {
  const { backend } = bench();
  const { user } = await renderApp(page, backend);
  await screen.findByRole("table", { name: "Members" });
  await user.type(screen.getByLabelText("Person"), "boris");
  const option = await screen.findByRole("option", { name: /Boris/ });
  expect(option).toHaveTextContent("Already a member");
});

test("a removed member comes back with the same role by Undo", async () => {
  const { backend, boris, project } = bench();
  const { user } = await renderApp(page, backend);
  await user.click(await screen.findByRole("button", { name: "Remove Boris Rauschenbach" }));
  const members = () => backend.projects.find(({ id }) => id === project.id)?.members ?? [];
  await waitFor(() => expect(members()).toHaveLength(1));
  await user.click(await screen.findByRole("button", { name: "Undo" }));
  await waitFor(() =>
    expect(members().find((member) => member.user_id === boris.id)?.role).toBe("editor"),
  );
});

test("the last owner has no way out of the role", async () => {
  const { backend } = bench();
  await renderApp(page, backend);
  const table = await screen.findByRole("table", { name: "Members" });
  const row = within(table).getByRole("row", { name: /Ada Lovelace/ });
  expect(within(row).queryByRole("combobox")).toBeNull();
  expect(within(row).queryByRole("button")).toBeNull();
});

test("who is no owner reads the list and may leave after being asked", async () => {
  const { backend, boris } = bench();
  backend.user = boris;
  const { user, where } = await renderApp(page, backend);
  await user.click(await screen.findByRole("button", { name: "Leave" }));
  expect(screen.queryByLabelText("Person")).toBeNull();
  const question = screen.getByRole("group", { name: /Only an owner can let you in again/ });
  await user.click(within(question).getByRole("button", { name: "Leave" }));
  await waitFor(() => expect(where()).toBe("/p"));
});
