import { screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { bench } from "@/testing/bench";
import { renderApp } from "@/testing/render";

const page = "/p/motor-bench/tokens";

test("a token is shown once and is gone when one says that it is kept", async () => {
  const { backend } = bench();
  const { user } = await renderApp(page, backend);
  await user.type(await screen.findByLabelText("What for"), "Bench PC");
  await user.click(screen.getByRole("button", { name: "Create token" }));
  expect(await screen.findByText(/^rb_pat_8FkQ2mZx_s+_1a2B3c$/)).toBeVisible();
  expect(screen.getByRole("button", { name: "Copy the token" })).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Done, I have kept it" }));
  expect(screen.queryByText(/_1a2B3c/)).toBeNull();
  expect(await screen.findByText("rb_pat_8FkQ2mZx_…")).toBeVisible();
});

test("a token without a purpose is not made", async () => {
  const { backend } = bench();
  const { user } = await renderApp(page, backend);
  await user.click(await screen.findByRole("button", { name: "Create token" }));
  expect(await screen.findByText("Say what the token is for.")).toBeVisible();
  expect(backend.tokens).toEqual([]);
});

test("an editor cannot make a token that may do more than they", async () => {
  const { backend, boris } = bench();
  backend.user = boris;
  const { user } = await renderApp(page, backend);
  await user.click(await screen.findByRole("combobox", { name: "Role" }));
  expect(screen.getByRole("option", { name: "Editor" })).toBeInTheDocument();
  expect(screen.queryByRole("option", { name: "Owner" })).toBeNull();
});

test("revoking asks in place, Escape takes it back, and the row keeps the token as revoked", async () => {
  const { backend, project } = bench();
  const { user } = await renderApp(page, backend);
  await user.type(await screen.findByLabelText("What for"), "CI");
  await user.click(screen.getByRole("button", { name: "Create token" }));
  await user.click(await screen.findByRole("button", { name: "Revoke CI" }));
  await user.keyboard("{Escape}");
  expect(screen.getByRole("button", { name: "Revoke CI" })).toHaveFocus();
  await user.keyboard("{Enter}");
  await user.click(await screen.findByRole("button", { name: "Revoke" }));
  await waitFor(() => expect(backend.tokens[0]?.revoked_at).not.toBeNull());
  expect(await screen.findByText("Revoked")).toBeVisible();
  expect(backend.tokens[0]?.project_id).toBe(project.id);
});
