import { screen, waitFor } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { bench } from "@/testing/bench";
import { installEventSource } from "@/testing/event-source";
import { installLayout } from "@/testing/layout";
import { renderApp } from "@/testing/render";
import { Recordings } from "@/testing/runs";

const page = "/p/motor-bench/x";

beforeEach(() => {
  installLayout();
  installEventSource();
});

function recorded() {
  const { backend, project } = bench();
  return { backend, recordings: new Recordings(backend, project.id) };
}

test("the drawer for a new experiment has an address of its own and leads to the experiment", async () => {
  const { backend, recordings } = recorded();
  const { user, where } = await renderApp(`${page}?create=true`, backend);
  await user.type(await screen.findByLabelText("Name"), "Bearing wear");
  await user.click(screen.getByRole("button", { name: "Create experiment" }));
  expect(
    await screen.findByRole("heading", { level: 1, name: "Bearing wear" }),
  ).toBeInTheDocument();
  expect(where()).toBe(`${page}/${recordings.experiments[0]?.id}`);
});

test("a name that is taken is said beside the field, and nothing typed is lost", async () => {
  const { backend, recordings } = recorded();
  recordings.addExperiment("Digits");
  const { user } = await renderApp(`${page}?create=true`, backend);
  const field = await screen.findByLabelText("Name");
  await user.type(field, "Digits");
  await user.click(screen.getByRole("button", { name: "Create experiment" }));
  expect(
    await screen.findByText("The project already has an experiment of this name."),
  ).toBeInTheDocument();
  expect(field).toHaveValue("Digits");
});

test("an experiment is archived from the list and brought back by Undo", async () => {
  const { backend, recordings } = recorded();
  const digits = recordings.addExperiment("Digits");
  const { user } = await renderApp(page, backend);
  await user.click(await screen.findByRole("button", { name: "Archive Digits" }));
  await waitFor(() => expect(digits.archived_at).not.toBeNull());
  await user.click(await screen.findByRole("button", { name: "Undo" }));
  await waitFor(() => expect(digits.archived_at).toBeNull());
});

test("the search is kept in the address", async () => {
  const { backend, recordings } = recorded();
  recordings.addExperiment("Digits");
  recordings.addExperiment("Bearing");
  const { user, where } = await renderApp(page, backend);
  await user.type(
    await screen.findByRole("searchbox", { name: "Search experiments by name" }),
    "bea",
  );
  await waitFor(() => expect(screen.queryByRole("link", { name: "Digits" })).toBeNull());
  expect(where()).toContain("q=bea");
});

test("an experiment's page lists its own runs only", async () => {
  const { backend, recordings } = recorded();
  const digits = recordings.addExperiment("Digits", { description: "# Why" });
  recordings.addRun(digits, "of-digits");
  recordings.addRun(recordings.addExperiment("Bearing"), "of-bearing");
  await renderApp(`${page}/${digits.id}`, backend);
  expect(await screen.findByRole("link", { name: "of-digits" })).toBeInTheDocument();
  expect(screen.queryByRole("link", { name: "of-bearing" })).toBeNull();
  expect(await screen.findByRole("heading", { name: "Why" })).toBeInTheDocument();
});
