import { cleanup, screen, waitFor, within } from "@testing-library/react";
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

const names = () =>
  screen
    .getAllByRole("rowheader")
    .map((cell) => cell.querySelector("[data-main]")?.textContent ?? "");
const filterBox = () => screen.findByRole("combobox", { name: "Filter runs by an expression" });
const row = (name: string) => {
  const found = screen.getByRole("link", { name }).closest('[role="row"]');
  if (!(found instanceof HTMLElement)) throw new Error(`no row ${name}`);
  return within(found);
};
const table = () => screen.findByRole("table", { name: "Runs" });

test("columns are what differs and what was measured; what is equal is hidden and counted", async () => {
  const { backend } = recorded();
  await renderApp(page, backend);
  const heads = within(await table()).getAllByRole("columnheader");
  expect(heads.map((head) => head.textContent)).toEqual(
    expect.arrayContaining(["Name", "Status", "Experiment", "lr", "accuracy"]),
  );
  expect(screen.queryByRole("columnheader", { name: "seed" })).toBeNull();
  expect(screen.getByRole("button", { name: "1 identical column hidden" })).toBeInTheDocument();
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
  expect(where()).toContain("metrics.accuracy");
  expect(screen.getByRole("columnheader", { name: "accuracy" })).toHaveAttribute(
    "aria-sort",
    "ascending",
  );
});

test("an address brings back filter, order and columns, also one of the time before the language", async () => {
  const { backend, recordings } = recorded();
  await renderApp(
    `${page}?q=qui&status=%5B%22succeeded%22%5D&sort=name&cols=%5B%22params.seed%22%5D`,
    backend,
  );
  await table();
  const asked = recordings.asked.at(-1);
  expect(asked?.get("q")).toBe("qui");
  expect(asked?.getAll("status")).toEqual(["succeeded"]);
  expect(asked?.get("sort")).toBe("name");
  expect(await filterBox()).toHaveValue(
    'attributes.name ilike "%qui%" and attributes.status = "succeeded"',
  );
  const heads = screen.getAllByRole("columnheader").map((head) => head.textContent);
  expect(heads).toEqual(["Name", "seed"]);
  expect(names()).toEqual(["quick"]);
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
    created_at: new Date().toISOString(),
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

test("the filter box completes fields, operators and values, all by keys", async () => {
  const { backend, recordings } = recorded();
  const { user, where } = await renderApp(page, backend);
  await table();
  await user.keyboard("[Slash]");
  const box = await filterBox();
  expect(box).toHaveFocus();
  await user.keyboard("accur");
  expect(await screen.findByRole("option", { name: /metrics\.accuracy/ })).toBeInTheDocument();
  await user.keyboard("{ArrowDown}{Enter}");
  expect(box).toHaveValue("metrics.accuracy ");
  await screen.findByRole("option", { name: ">" });
  await user.keyboard("> 0.9 ");
  await user.keyboard("{ArrowDown}{Enter}");
  expect(box).toHaveValue("metrics.accuracy > 0.9 and ");
  await user.keyboard("{Backspace}{Backspace}{Backspace}{Backspace}{Escape}{Enter}");
  await waitFor(() => expect(names()).toEqual(["quick"]));
  expect(recordings.asked.at(-1)?.get("filter")).toBe("metrics.accuracy > 0.9");
  expect(where()).toContain("filter=metrics.accuracy");
});

test("values come from the runs, and are written as the language wants them", async () => {
  const { backend, slow } = recorded();
  slow.tags = { rig: "A 1" };
  const { user } = await renderApp(page, backend);
  await table();
  const box = await filterBox();
  await user.type(box, "tags.rig = ");
  await user.click(await screen.findByRole("option", { name: /A 1/ }));
  expect(box).toHaveValue('tags.rig = "A 1" ');
});

test("a mistake is said and underlined where the server found it, and the runs stay", async () => {
  const { backend } = recorded();
  const { user } = await renderApp(page, backend);
  await table();
  const box = await filterBox();
  await user.type(box, "metrics.accuracy > 0.9 and metric.loss < 1{Escape}{Enter}");
  const said = await screen.findByText('There is no "metric" to filter by.');
  expect(said).toHaveAttribute("role", "alert");
  expect(box).toHaveAttribute("aria-invalid", "true");
  expect(box).toHaveAccessibleDescription('There is no "metric" to filter by.');
  expect(box.parentElement?.querySelector("mark")).toHaveTextContent("metric");
  expect(names()).toEqual(["quick", "slow"]);
});

test("the plain fields and the expression are the same filter", async () => {
  const { backend, recordings, slow } = recorded();
  slow.status = "failed";
  const { user } = await renderApp(`${page}?filter=metrics.accuracy%20%3C%200.9`, backend);
  await table();
  await user.type(screen.getByRole("searchbox", { name: "Search runs by name" }), "slo");
  await waitFor(async () =>
    expect(await filterBox()).toHaveValue(
      'metrics.accuracy < 0.9 and attributes.name ilike "%slo%"',
    ),
  );
  await user.clear(await filterBox());
  await user.type(await filterBox(), 'attributes.status = "failed"{Escape}{Enter}');
  await waitFor(() => expect(recordings.asked.at(-1)?.getAll("status")).toEqual(["failed"]));
  expect(screen.getByRole("searchbox", { name: "Search runs by name" })).toHaveValue("");
});

test("a filter that nothing meets is shown with a way out", async () => {
  const { backend } = recorded();
  const { user } = await renderApp(`${page}?filter=metrics.accuracy%20%3E%2020`, backend);
  const message = await screen.findByText(/but none that meets/);
  expect(message).toHaveTextContent("metrics.accuracy > 20");
  await user.click(screen.getByRole("button", { name: "Show all runs" }));
  await waitFor(() => expect(names()).toEqual(["quick", "slow"]));
});

test("a second head with shift breaks the ties of the first", async () => {
  const { backend, recordings } = recorded();
  const { user } = await renderApp(page, backend);
  await table();
  await user.click(screen.getByRole("button", { name: "lr" }));
  await user.keyboard("{Shift>}");
  await user.click(screen.getByRole("button", { name: "accuracy" }));
  await user.keyboard("{/Shift}");
  await waitFor(() =>
    expect(recordings.asked.at(-1)?.getAll("order_by")).toEqual([
      "params.lr asc",
      "metrics.accuracy desc",
    ]),
  );
});

test("columns move, hide and stay by their menu", async () => {
  const { backend } = recorded();
  const { user, where } = await renderApp(page, backend);
  const heads = async () =>
    within(await table())
      .getAllByRole("columnheader")
      .map((head) => head.textContent);
  expect((await heads()).slice(-2)).toEqual(["lr", "accuracy"]);
  await user.click(screen.getByRole("button", { name: "Column accuracy" }));
  await user.click(await screen.findByRole("menuitem", { name: "Move left" }));
  await waitFor(async () => expect((await heads()).slice(-2)).toEqual(["accuracy", "lr"]));
  await user.click(screen.getByRole("button", { name: "Column lr" }));
  await user.click(await screen.findByRole("menuitem", { name: "Keep beside the name" }));
  await waitFor(async () => expect((await heads())[1]).toBe("lr"));
  await user.click(screen.getByRole("button", { name: "Column accuracy" }));
  await user.click(await screen.findByRole("menuitem", { name: "Hide the column" }));
  await waitFor(async () => expect(await heads()).not.toContain("accuracy"));
  expect(where()).toContain("fixed=");
});

test("what is equal in all runs is read in one look and shown when it is wanted", async () => {
  const { backend } = recorded();
  const { user } = await renderApp(page, backend);
  await table();
  await user.click(screen.getByRole("button", { name: "1 identical column hidden" }));
  const popover = await screen.findByRole("dialog", { name: "1 identical column hidden" });
  expect(within(popover).getByText("seed")).toBeInTheDocument();
  await user.click(within(popover).getByRole("switch", { name: "Only differences" }));
  expect(await screen.findByRole("columnheader", { name: "seed" })).toBeInTheDocument();
});

test("groups say how many runs they have and their mean, and open to their members", async () => {
  const { backend, recordings, experiment } = recorded();
  recordings.addRun(experiment, "again", { params: { lr: 0.1 }, metrics: { accuracy: 0.85 } });
  recordings.addRun(experiment, "bare", { params: {}, metrics: {} });
  const { user, where } = await renderApp(`${page}?group=%5B%22params.lr%22%5D`, backend);
  await table();
  expect(names()).toEqual(expect.arrayContaining(["lr: 0.1", "lr: 0.01", "lr: (none)"]));
  const group = screen.getByRole("button", { name: "lr: 0.1" });
  const line = group.closest('[role="row"]') as HTMLElement;
  expect(within(line).getByTitle("2 runs")).toHaveTextContent("2");
  expect(within(line).getByText(/^0\.9/)).toHaveTextContent("0.9 ± 0.071");
  await user.click(group);
  expect(await screen.findByRole("link", { name: "again" })).toBeInTheDocument();
  expect(screen.getByRole("link", { name: "quick" })).toBeInTheDocument();
  expect(screen.queryByRole("link", { name: "slow" })).toBeNull();
  expect(where()).toContain("open=");
  await user.click(screen.getByRole("button", { name: "lr: (none)" }));
  expect(await screen.findByRole("link", { name: "bare" })).toBeInTheDocument();
});

test("the picker groups by a field, and by all parameters but some", async () => {
  const { backend } = recorded();
  const { user, where } = await renderApp(page, backend);
  await table();
  await user.click(screen.getByRole("button", { name: "Group" }));
  await user.click(await screen.findByRole("checkbox", { name: "params.lr" }));
  await waitFor(() => expect(names()).toEqual(expect.arrayContaining(["lr: 0.1", "lr: 0.01"])));
  expect(where()).toContain("group=");
  await user.click(await screen.findByRole("button", { name: "Do not group" }));
  await waitFor(() => expect(names()).toEqual(["quick", "slow"]));
});

test("P keeps a run on top, B measures the others against it, with sign and arrow", async () => {
  const { backend } = recorded();
  const { user } = await renderApp(page, backend);
  await table();
  await user.keyboard("[KeyJ]");
  await waitFor(() => expect(screen.getByRole("link", { name: "quick" })).toHaveFocus());
  await user.keyboard("[KeyJ]");
  await waitFor(() => expect(screen.getByRole("link", { name: "slow" })).toHaveFocus());
  await user.keyboard("[KeyP]");
  await waitFor(() => expect(names()).toEqual(["slow", "quick"]));
  await user.keyboard("[KeyJ]");
  await user.keyboard("[KeyB]");
  await waitFor(() => expect(screen.getByText("baseline")).toBeInTheDocument());
  expect(names()[0]).toBe("quick");
  expect(row("slow").getByTitle(/^To the baseline: -0\.15/)).toHaveTextContent("▼-0.15");
});

test("a view keeps the table, and its address alone brings it back", async () => {
  const { backend, recordings } = recorded();
  const first = await renderApp(
    `${page}?group=%5B%22params.lr%22%5D&sort=metrics.accuracy&filter=metrics.accuracy%20%3E%200.5`,
    backend,
  );
  await table();
  await first.user.click(screen.getByRole("button", { name: "Views" }));
  await first.user.click(await screen.findByRole("button", { name: "Save as…" }));
  await first.user.type(await screen.findByLabelText(/Name of the view/), "By rate");
  await first.user.click(screen.getByRole("radio", { name: "The whole project" }));
  await first.user.click(screen.getByRole("button", { name: "Save" }));
  const view = await waitFor(() => {
    const [found] = recordings.views;
    if (!found) throw new Error("nothing saved yet");
    return found;
  });
  expect(view).toMatchObject({ name: "By rate", visibility: "shared", kind: "runs" });
  await waitFor(() => expect(first.where()).toBe(`${page}?view=${view.id}`));
  cleanup();

  const second = await renderApp(`${page}?view=${view.id}`, backend);
  await table();
  expect(names()).toEqual(["lr: 0.01", "lr: 0.1"]);
  expect(await filterBox()).toHaveValue("metrics.accuracy > 0.5");
  await second.user.click(screen.getByRole("button", { name: "lr: 0.1" }));
  await second.user.clear(await filterBox());
  await second.user.type(await filterBox(), "{Escape}{Enter}");
  await waitFor(() => expect(second.where()).toContain("filter=null"));
  expect(screen.getByRole("button", { name: /By rate/ })).toHaveTextContent("changed");
  await second.user.click(screen.getByRole("button", { name: /By rate/ }));
  await second.user.click(await screen.findByRole("button", { name: "Save" }));
  await waitFor(() => expect(view.state).not.toHaveProperty("filter"));
});

test("a view is deleted and comes back by Undo", async () => {
  const { backend, recordings } = recorded();
  recordings.views.push({
    id: "v1",
    name: "Old",
    kind: "runs",
    visibility: "personal",
    state: { sort: ["name"] },
    is_default: false,
    created_by: "",
    version: 1,
  });
  const { user } = await renderApp(page, backend);
  await table();
  await user.click(screen.getByRole("button", { name: "Views" }));
  await user.click(await screen.findByRole("button", { name: "Delete Old" }));
  await waitFor(() => expect(recordings.views).toEqual([]));
  await user.click(await screen.findByRole("button", { name: "Undo" }));
  await waitFor(() =>
    expect(recordings.views).toMatchObject([{ name: "Old", state: { sort: ["name"] } }]),
  );
});

test("the next runs are asked for when the end comes into view", async () => {
  const { backend, recordings, experiment } = recorded();
  for (let at = 0; at < 300; at += 1) recordings.addRun(experiment, `run-${at}`);
  const { user } = await renderApp(page, backend);
  await table();
  expect(await screen.findByText("200 runs loaded, more below")).toBeInTheDocument();
  // Every place has the same size in this window, so the last row is reached by asking for it.
  await user.keyboard("[KeyK]");
  await user.click(screen.getByRole("checkbox", { name: "Select all runs that are loaded" }));
  expect(await screen.findByText("200 runs selected")).toBeInTheDocument();
});
