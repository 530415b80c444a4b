import { screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { bench } from "@/testing/bench";
import { renderApp } from "@/testing/render";

const page = "/p/motor-bench/settings";

test("only what was changed is sent, with the version it is based on", async () => {
  const { backend } = bench();
  const { user } = await renderApp(page, backend);
  const name = await screen.findByLabelText("Name");
  await user.clear(name);
  await user.type(name, "Motor bench 2");
  await user.click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByText("Saved")).toBeVisible();
  const call = backend.calls.find((one) => one.method === "PATCH");
  expect(call?.body).toEqual({ name: "Motor bench 2" });
  expect(call?.headers.get("If-Match")).toBe('"1"');
});

test("somebody else's change is not overwritten", async () => {
  const { backend, project } = bench();
  const { user } = await renderApp(page, backend);
  await user.type(await screen.findByLabelText("Name"), "!");
  const stored = backend.projects.find(({ id }) => id === project.id);
  if (stored) stored.version = 2;
  await user.click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByRole("alert")).toHaveTextContent(
    "Somebody else changed this meanwhile",
  );
  expect(stored?.name).toBe("Motor bench");
});

test("a new address takes the page with it", async () => {
  const { backend } = bench();
  const { user, where } = await renderApp(page, backend);
  const slug = await screen.findByLabelText("Address");
  await user.clear(slug);
  await user.type(slug, "rig");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(where()).toBe("/p/rig/settings"));
  expect(await screen.findByLabelText("Address")).toHaveValue("rig");
});

test("archiving wants the address typed, then the project is read-only until it is restored", async () => {
  const { backend } = bench();
  const { user } = await renderApp(page, backend);
  await user.click(await screen.findByRole("button", { name: "Archive the project" }));
  const confirm = screen.getByRole("button", { name: "Archive the project" });
  expect(confirm).toBeDisabled();
  await user.type(screen.getByLabelText(/to go on/), "motor-bench");
  await user.click(confirm);
  expect(await screen.findByText("This project is archived")).toBeVisible();
  expect(screen.queryByRole("button", { name: "Save" })).toBeNull();
  await user.click(screen.getByRole("button", { name: "Restore the project" }));
  expect(await screen.findByRole("button", { name: "Save" })).toBeVisible();
});
