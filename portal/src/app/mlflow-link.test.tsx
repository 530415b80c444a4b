import { screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { bench } from "@/testing/bench";
import { renderApp } from "@/testing/render";

const experiment = "0199aaaa-0000-7000-8000-00000000000e";
const run = "0199aaaa-0000-7000-8000-00000000000f";
const digits = (id: string) => id.replaceAll("-", "");
const printed = `/#/experiments/${digits(experiment)}/runs/${digits(run)}`;

function benchWithRun() {
  const { backend, ada, project } = bench();
  const found = { id: run, project_id: project.id, experiment_id: experiment };
  backend.on("GET /api/v1/projects/{}", () => Response.json(backend.seen(project.id)));
  backend.on("GET /api/v1/runs/{}", () => Response.json(found));
  backend.on("GET /api/v1/experiments/{}", () => Response.json({ ...found, id: experiment }));
  return { backend, ada };
}

test("the link that an MLflow client prints leads to the run", async () => {
  const { where } = await renderApp(printed, benchWithRun().backend);
  await waitFor(() => expect(where()).toBe(`/p/motor-bench/r/${run}`));
});

test("the link of an experiment leads to it", async () => {
  const { where } = await renderApp(`/#/experiments/${digits(experiment)}`, benchWithRun().backend);
  await waitFor(() => expect(where()).toBe(`/p/motor-bench/x/${experiment}`));
});

test("who has to sign in first arrives at the run all the same", async () => {
  const { backend } = benchWithRun();
  backend.user = null;
  const { user, where } = await renderApp(printed, backend);
  await user.type(await screen.findByLabelText("E-mail"), "ada.lovelace@example.org");
  await user.type(screen.getByLabelText("Password"), "correct horse battery");
  await user.click(screen.getByRole("button", { name: "Sign in" }));
  await waitFor(() => expect(where()).toBe(`/p/motor-bench/r/${run}`));
});

test("a run that is not there is said, and another fragment means nothing", async () => {
  const { backend } = bench();
  const { where } = await renderApp("/#/experiments/0/runs/x", backend);
  expect(await screen.findByRole("heading", { name: /Hello/ })).toBeVisible();
  expect(where()).toBe("/#/experiments/0/runs/x");
});
