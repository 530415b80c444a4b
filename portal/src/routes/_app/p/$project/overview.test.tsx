import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { page as pageOf } from "@/testing/backend";
import { bench } from "@/testing/bench";
import { renderApp } from "@/testing/render";

test("an empty project shows the lines to paste, with this address and a token at a click", async () => {
  const { backend } = bench();
  backend.on("GET /api/v1/projects/{}/experiments", () => pageOf([]));
  const { user } = await renderApp("/p/motor-bench", backend);
  expect(await screen.findByText(/runbench\.init\(project="motor-bench"/)).toBeVisible();
  expect(screen.getByText(new RegExp(`RUNBENCH_URL=${window.location.origin}`))).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Put a new token into these lines" }));
  expect(await screen.findByText(/RUNBENCH_TOKEN=rb_pat_8FkQ2mZx_s+_1a2B3c/)).toBeVisible();
  expect(backend.tokens[0]?.role).toBe("editor");
});

test("a viewer is told whom to ask instead", async () => {
  const { backend, wu, project } = bench();
  backend.on("GET /api/v1/projects/{}/experiments", () => pageOf([]));
  backend.projects
    .find(({ id }) => id === project.id)
    ?.members.push({
      user_id: wu.id,
      name: wu.name,
      email: wu.email,
      role: "viewer",
      added_at: "",
    });
  backend.user = wu;
  await renderApp("/p/motor-bench", backend);
  expect(await screen.findByText(/ask an owner for the editor role/)).toBeVisible();
});

test("a project of others is not there", async () => {
  const { backend, wu } = bench();
  backend.user = wu;
  await renderApp("/p/motor-bench", backend);
  expect(await screen.findByRole("heading", { name: "There is nothing here" })).toBeVisible();
});
