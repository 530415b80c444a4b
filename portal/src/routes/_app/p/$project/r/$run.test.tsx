import { act, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import type { Run } from "@/api/generated/models/run";
import { bench } from "@/testing/bench";
import { FakeEventSource, installEventSource } from "@/testing/event-source";
import { installLayout } from "@/testing/layout";
import { renderApp } from "@/testing/render";
import { Recordings } from "@/testing/runs";

beforeEach(() => {
  installLayout();
  installEventSource();
  sessionStorage.clear();
});

function recorded(change: Partial<Run> = {}) {
  const { backend, boris, project } = bench();
  const recordings = new Recordings(backend, project.id);
  const run = recordings.addRun(recordings.addExperiment("Digits"), "lucky-owl", {
    params: { lr: 0.1, optimizer: "adam" },
    ...change,
  });
  return { backend, boris, recordings, run, page: `/p/motor-bench/r/${run.id}` };
}

const going = { status: "running", finished_at: null, duration_seconds: null } as const;
const figure = (name: string) => screen.findByRole("figure", { name: new RegExp(`^${name}`) });
const stream = () =>
  waitFor(() => {
    const found = FakeEventSource.find("/metrics/stream");
    if (!found) throw new Error("no stream yet");
    return found;
  });

test("a run shows what went in, how it went, and where it belongs", async () => {
  const { backend, recordings, run, page } = recorded({ host: "bench-7" });
  recordings.log(run, "train/loss", [
    [0, 1.5],
    [1, 0.25],
  ]);
  await renderApp(page, backend);
  expect(await screen.findByRole("heading", { level: 1, name: "lucky-owl" })).toBeInTheDocument();
  expect(screen.getByRole("link", { name: "Digits" })).toBeInTheDocument();
  expect(screen.getByText("bench-7")).toBeInTheDocument();
  expect(screen.getByRole("row", { name: "optimizer adam" })).toBeInTheDocument();
  const metrics = await screen.findByRole("table", { name: "Metrics" });
  expect(await within(metrics).findByText("0.25")).toBeInTheDocument();
});

test("a run is renamed where its name stands", async () => {
  const { backend, run, page } = recorded();
  const { user } = await renderApp(page, backend);
  await user.click(await screen.findByRole("button", { name: /Rename/ }));
  const field = screen.getByLabelText("Name of the run");
  await user.clear(field);
  await user.type(field, "night-owl{Enter}");
  expect(await screen.findByRole("heading", { level: 1, name: "night-owl" })).toBeInTheDocument();
  expect(run.name).toBe("night-owl");
});

test("finishing a run asks first, in its place", async () => {
  const { backend, run, page } = recorded(going);
  const { user } = await renderApp(page, backend);
  await user.click(await screen.findByRole("button", { name: "Finish" }));
  expect(screen.getByText(/Mark this run as succeeded/)).toBeInTheDocument();
  expect(run.status).toBe("running");
  await user.click(screen.getByRole("button", { name: "Finish" }));
  await waitFor(() => expect(run.status).toBe("succeeded"));
});

test("archiving can be undone", async () => {
  const { backend, run, page } = recorded();
  const { user } = await renderApp(page, backend);
  await user.click(await screen.findByRole("button", { name: "Archive" }));
  await waitFor(() => expect(run.archived_at).not.toBeNull());
  await user.click(await screen.findByRole("button", { name: "Undo" }));
  await waitFor(() => expect(run.archived_at).toBeNull());
});

test("the stream begins exactly where the pictures end, and its points appear", async () => {
  const { backend, recordings, run, page } = recorded(going);
  recordings.log(run, "loss", [
    [0, 3],
    [1, 2],
  ]);
  recordings.ordinal = 7;
  await renderApp(`${page}?tab=metrics`, backend);
  await figure("loss");
  const live = await stream();
  expect(new URL(live.url).searchParams.get("after")).toBe(`${run.id}:7`);
  act(() => live.open());
  expect(await screen.findByText("Live")).toBeInTheDocument();
  act(() =>
    live.send(
      "metrics",
      { run_id: run.id, series: [{ key: "loss", step: [2], value: [1.25], time: [3] }] },
      "c0ffee00.8",
    ),
  );
  await waitFor(async () => expect(await figure("loss")).toHaveTextContent("1.25"));
  expect(await figure("loss")).toHaveTextContent("3 points");
});

test("a metric that is logged for the first time gets its chart by itself", async () => {
  const { backend, run, page } = recorded(going);
  await renderApp(`${page}?tab=metrics`, backend);
  expect(await screen.findByText("No metrics yet")).toBeInTheDocument();
  const live = await stream();
  act(() =>
    live.send(
      "metrics",
      { run_id: run.id, series: [{ key: "fresh", step: [0], value: [4], time: [1] }] },
      "c0ffee00.2",
    ),
  );
  expect(await figure("fresh")).toHaveTextContent("4");
});

test("points that arrive do not reset the zoom; they are counted until somebody follows again", async () => {
  const { backend, recordings, run, page } = recorded(going);
  recordings.log(
    run,
    "loss",
    Array.from({ length: 50 }, (_, step) => [step, 50 - step] as const),
  );
  const { user, where } = await renderApp(`${page}?tab=metrics&zoom=10..20`, backend);
  expect(await figure("loss")).toHaveTextContent("11 points");
  const live = await stream();
  act(() =>
    live.send(
      "metrics",
      { run_id: run.id, series: [{ key: "loss", step: [50, 51], value: [0, 0], time: [1, 2] }] },
      "c0ffee00.2",
    ),
  );
  const follow = await screen.findByRole("button", { name: "Live +2 points" });
  expect(where()).toContain("zoom=10..20");
  expect(await figure("loss")).toHaveTextContent("11 points");
  await user.click(follow);
  await waitFor(() => expect(where()).not.toContain("zoom"));
  expect(await figure("loss")).toHaveTextContent("52 points");
});

test("while paused nothing moves, afterwards everything is there", async () => {
  const { backend, recordings, run, page } = recorded(going);
  recordings.log(run, "loss", [[0, 3]]);
  const { user } = await renderApp(`${page}?tab=metrics`, backend);
  await figure("loss");
  const live = await stream();
  await user.click(screen.getByRole("button", { name: "Pause live updates" }));
  act(() =>
    live.send(
      "metrics",
      { run_id: run.id, series: [{ key: "loss", step: [1], value: [1], time: [1] }] },
      "c0ffee00.2",
    ),
  );
  await screen.findByRole("button", { name: "Live +1 points" });
  expect(await figure("loss")).toHaveTextContent("1 points");
  await user.click(screen.getByRole("button", { name: "Go on with live updates" }));
  await waitFor(async () => expect(await figure("loss")).toHaveTextContent("2 points"));
});

test("a broken stream says so and goes on after the last point it had", async () => {
  const { backend, recordings, run, page } = recorded(going);
  recordings.log(run, "loss", [[0, 3]]);
  await renderApp(`${page}?tab=metrics`, backend);
  await figure("loss");
  const live = await stream();
  act(() => live.open());
  act(() =>
    live.send(
      "metrics",
      { run_id: run.id, series: [{ key: "loss", step: [1], value: [2], time: [1] }] },
      "c0ffee00.12",
    ),
  );
  act(() => live.fail(true));
  const toolbar = screen.getByRole("toolbar", { name: "Charts" });
  expect(await within(toolbar).findByText("Reconnecting…")).toBeInTheDocument();
  await waitFor(() =>
    expect(FakeEventSource.find("/metrics/stream")?.url).toContain("after=c0ffee00.12"),
  );
});

test("a finished run keeps no stream open", async () => {
  const { backend, recordings, run, page } = recorded(going);
  recordings.log(run, "loss", [[0, 3]]);
  await renderApp(`${page}?tab=metrics`, backend);
  await figure("loss");
  const live = await stream();
  run.status = "succeeded";
  act(() => live.send("run", { run_id: run.id, status: "succeeded" }));
  expect(await screen.findByText("Succeeded")).toBeInTheDocument();
  expect(FakeEventSource.find("/metrics/stream")).toBeUndefined();
});

test("NaN and infinities are counted in words beside their gap", async () => {
  const { backend, recordings, run, page } = recorded();
  recordings.log(run, "loss", [
    [0, 3],
    [1, "NaN"],
    [2, "Infinity"],
    [3, 1],
  ]);
  await renderApp(`${page}?tab=metrics`, backend);
  const chart = await figure("loss");
  expect(chart).toHaveTextContent("1 NaN");
  expect(chart).toHaveTextContent("1 ∞");
});

test("zooming into a long series asks for its detail, with one request", async () => {
  const { backend, recordings, run, page } = recorded();
  recordings.log(
    run,
    "loss",
    Array.from({ length: 9000 }, (_, step) => [step, step] as const),
  );
  await renderApp(`${page}?tab=metrics&zoom=100..400`, backend);
  expect(await figure("loss")).toHaveTextContent("301 points");
  const zoomed = recordings.askedSeries.filter((query) => query.has("from_step"));
  expect(zoomed.map((query) => [query.get("from_step"), query.get("to_step")])).toEqual([
    ["100", "400"],
  ]);
});

test("the keyboard's cursor says the value it stands on, and D shows all as a table", async () => {
  const { backend, recordings, run, page } = recorded();
  recordings.log(run, "loss", [
    [0, 3],
    [1, 2.5],
    [2, 1],
  ]);
  const { user, where } = await renderApp(`${page}?tab=metrics`, backend);
  const chart = await figure("loss");
  await waitFor(() => expect(chart.querySelector("canvas")).not.toBeNull());
  within(chart).getByRole("application").focus();
  await user.keyboard("[ArrowRight][ArrowRight]");
  expect(await within(chart).findByText("Step 1: loss 2.5")).toBeInTheDocument();
  await user.keyboard("[KeyD]");
  const table = await within(chart).findByRole("table", { name: "Points of loss" });
  expect(within(table).getByRole("row", { name: "1 2.5" })).toBeInTheDocument();
  await user.keyboard("[KeyY]");
  await waitFor(() => expect(where()).toContain("log=true"));
  await user.keyboard("[KeyS]");
  await waitFor(() => expect(where()).toContain("smooth=0.3"));
});

test("notes are written with a preview and saved over the version they began with", async () => {
  const { backend, run, page } = recorded();
  const { user } = await renderApp(`${page}?tab=notes`, backend);
  await user.click(await screen.findByRole("button", { name: "Edit: Notes" }));
  await user.type(screen.getByRole("textbox", { name: "Notes" }), "**hot** bearing");
  expect((await screen.findByText("hot")).tagName).toBe("STRONG");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(run.notes).toBe("**hot** bearing"));
  const saved = backend.calls.findLast(({ method }) => method === "PATCH");
  expect(saved?.headers.get("If-Match")).toBe('"1"');
});

test("when somebody else saved meanwhile, both texts stay", async () => {
  const { backend, run, page } = recorded({ notes: "begin" });
  const { user } = await renderApp(`${page}?tab=notes`, backend);
  await user.click(await screen.findByRole("button", { name: "Edit: Notes" }));
  const field = screen.getByRole("textbox", { name: "Notes" });
  await user.clear(field);
  await user.type(field, "mine");
  Object.assign(run, { notes: "theirs", version: 2 });
  await user.click(screen.getByRole("button", { name: "Save" }));
  expect(
    await screen.findByText("Somebody else saved this while you were writing"),
  ).toBeInTheDocument();
  expect(screen.getByText("theirs")).toBeInTheDocument();
  expect(screen.getByLabelText("Your version")).toHaveValue("mine");
  await user.click(screen.getByRole("button", { name: "Put both into the editor" }));
  expect(screen.getByRole("textbox", { name: "Notes" })).toHaveValue("theirs\n\n---\n\nmine");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(run.notes).toBe("theirs\n\n---\n\nmine"));
});

test("a viewer reads everything and changes nothing", async () => {
  const { backend, boris, page } = recorded({ notes: "seen", tags: { rig: "A" } });
  const own = backend.projects[0]?.members.find(({ user_id }) => user_id === boris.id);
  if (own) own.role = "viewer";
  backend.user = boris;
  await renderApp(page, backend);
  expect(await screen.findByText("seen")).toBeInTheDocument();
  for (const name of [/Rename/, "Archive", "Add a tag", "Edit: Notes", /Remove the tag/]) {
    expect(screen.queryByRole("button", { name })).toBeNull();
  }
});
