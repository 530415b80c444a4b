import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { bench } from "@/testing/bench";
import { FakeEventSource, installEventSource } from "@/testing/event-source";
import { installLayout } from "@/testing/layout";
import { renderApp } from "@/testing/render";
import { Recordings } from "@/testing/runs";

const page = "/p/motor-bench/runs";

beforeEach(() => {
  installLayout();
  installEventSource();
});

function recorded() {
  const { backend, boris, project } = bench();
  const recordings = new Recordings(backend, project.id);
  const experiment = recordings.addExperiment("Digits");
  const slow = recordings.addRun(experiment, "slow", {
    created_at: "2026-11-22T09:00:00.000000Z",
    params: { lr: 0.01, seed: 1 },
    metrics: { accuracy: 0.8 },
  });
  const quick = recordings.addRun(experiment, "quick", {
    created_at: "2026-11-22T10:00:00.000000Z",
    params: { lr: 0.1, seed: 1 },
    metrics: { accuracy: 0.95 },
  });
  return { backend, boris, recordings, experiment, slow, quick };
}

const names = () => screen.getAllByRole("rowheader").map((cell) => cell.textContent);
const table = () => screen.findByRole("table", { name: "Runs" });

test("columns are what differs and what was measured; what is equal is hidden and counted", async () => {
  const { backend } = recorded();
  await renderApp(page, backend);
  const heads = within(await table()).getAllByRole("columnheader");
  expect(heads.map((head) => head.textContent)).toEqual(
    expect.arrayContaining(["Name", "Status", "Experiment", "lr", "accuracy"]),
  );
  expect(screen.queryByRole("columnheader", { name: "seed" })).toBeNull();
  expect(screen.getByText("1 parameter is equal in all of them and hidden")).toBeInTheDocument();
});

test("a click on a head asks the server for the order and keeps it in the address", async () => {
  const { backend, recordings } = recorded();
  const { user, where } = await renderApp(page, backend);
  await table();
  expect(names()).toEqual(["quick", "slow"]);
  await user.click(screen.getByRole("button", { name: "accuracy" }));
  await waitFor(() => expect(recordings.asked.at(-1)?.get("sort")).toBe("-metrics.accuracy"));
  await user.click(screen.getByRole("button", { name: "accuracy" }));
  await waitFor(() => expect(names()).toEqual(["slow", "quick"]));
  expect(where()).toContain("sort=metrics.accuracy");
  expect(screen.getByRole("columnheader", { name: "accuracy" })).toHaveAttribute(
    "aria-sort",
    "ascending",
  );
});

test("an address brings back filter, order and columns", async () => {
  const { backend, recordings } = recorded();
  await renderApp(
    `${page}?q=qui&status=%5B%22succeeded%22%5D&tag=%5B%22rig%3DA%22%5D&sort=name&cols=%5B%22params.seed%22%5D`,
    backend,
  );
  await table();
  const asked = recordings.asked.at(-1);
  expect(asked?.get("q")).toBe("qui");
  expect(asked?.getAll("status")).toEqual(["succeeded"]);
  expect(asked?.getAll("tag")).toEqual(["rig=A"]);
  expect(asked?.get("sort")).toBe("name");
  const heads = screen.getAllByRole("columnheader").map((head) => head.textContent);
  expect(heads).toEqual(["Name", "seed"]);
  expect(screen.getByRole("searchbox", { name: "Search runs by name" })).toHaveValue("qui");
});

test("J and K move through the rows by place on the keyboard, X selects, the name is a link", async () => {
  const { backend, quick } = recorded();
  const { user } = await renderApp(page, backend);
  await table();
  await user.keyboard("[KeyJ]");
  await waitFor(() => expect(screen.getByRole("link", { name: "quick" })).toHaveFocus());
  expect(screen.getByRole("link", { name: "quick" })).toHaveAttribute(
    "href",
    `/p/motor-bench/r/${quick.id}`,
  );
  await user.keyboard("[KeyJ]");
  await waitFor(() => expect(screen.getByRole("link", { name: "slow" })).toHaveFocus());
  await user.keyboard("[KeyX]");
  expect(await screen.findByText("1 run selected")).toBeInTheDocument();
  await user.keyboard("[Escape]");
  await waitFor(() => expect(screen.queryByText("1 run selected")).toBeNull());
});

test("selected runs are tagged together", async () => {
  const { backend, quick, slow } = recorded();
  const { user } = await renderApp(page, backend);
  await table();
  await user.click(screen.getByRole("checkbox", { name: "Select all runs that are loaded" }));
  await user.click(await screen.findByRole("button", { name: "Tag…" }));
  await user.type(await screen.findByLabelText("Tag"), "bench=A");
  await user.click(screen.getByRole("button", { name: "Set on all" }));
  await waitFor(() => expect([quick.tags, slow.tags]).toEqual([{ bench: "A" }, { bench: "A" }]));
});

test("archiving names the runs that stayed, and Undo brings the others back", async () => {
  const { backend, recordings, experiment, slow } = recorded();
  recordings.addRun(experiment, "busy", { status: "running", finished_at: null });
  const { user } = await renderApp(page, backend);
  await table();
  await user.click(screen.getByRole("checkbox", { name: "Select busy" }));
  await user.click(screen.getByRole("checkbox", { name: "Select slow" }));
  await user.click(await screen.findByRole("button", { name: "Archive" }));
  expect(await screen.findByText(/busy: A running run cannot be archived/)).toBeInTheDocument();
  expect(slow.archived_at).not.toBeNull();
  await user.click(await screen.findByRole("button", { name: "Undo" }));
  await waitFor(() => expect(slow.archived_at).toBeNull());
});

test("a run that changes on the server changes where it stands", async () => {
  const { backend, slow } = recorded();
  await renderApp(`${page}?sort=metrics.accuracy`, backend);
  await table();
  expect(names()).toEqual(["slow", "quick"]);
  FakeEventSource.find("/runs/stream")?.send("run", {
    ...slow,
    status: "failed",
    metrics: { accuracy: 0.99 },
    version: 2,
  });
  expect(await screen.findByText("0.99")).toBeInTheDocument();
  expect(within(await table()).getByText("Failed")).toBeInTheDocument();
  expect(names()).toEqual(["slow", "quick"]);
});

test("a new run waits behind a pill while somebody is in the table", async () => {
  const { backend, recordings, experiment } = recorded();
  const { user } = await renderApp(page, backend);
  await user.hover(await table());
  const fresh = recordings.addRun(experiment, "fresh", {
    created_at: "2026-11-22T11:00:00.000000Z",
  });
  FakeEventSource.find("/runs/stream")?.send("run", fresh);
  await user.click(await screen.findByRole("button", { name: "1 new run" }));
  await waitFor(() => expect(names()).toEqual(["fresh", "quick", "slow"]));
});

test("an empty project shows what to paste", async () => {
  const { backend, project } = bench();
  new Recordings(backend, project.id);
  await renderApp(page, backend);
  expect(await screen.findByText(/import runbench/)).toBeInTheDocument();
});

test("a viewer selects, but is offered nothing that changes a run", async () => {
  const { backend, boris } = recorded();
  const own = backend.projects[0]?.members.find(({ user_id }) => user_id === boris.id);
  if (own) own.role = "viewer";
  backend.user = boris;
  const { user } = await renderApp(page, backend);
  await table();
  await user.click(screen.getByRole("checkbox", { name: "Select quick" }));
  expect(await screen.findByText("1 run selected")).toBeInTheDocument();
  expect(screen.queryByRole("button", { name: "Archive" })).toBeNull();
  expect(screen.queryByRole("button", { name: "Tag…" })).toBeNull();
});
