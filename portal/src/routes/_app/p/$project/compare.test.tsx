import { cleanup, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import type { ComparedRuns } from "@/api/generated/models/comparedRuns";
import type { Comparison } from "@/api/generated/models/comparison";
import type { Run } from "@/api/generated/models/run";
import { newId, page, problem } from "@/testing/backend";
import { bench } from "@/testing/bench";
import { installEventSource } from "@/testing/event-source";
import { installLayout } from "@/testing/layout";
import { renderApp } from "@/testing/render";
import { Recordings } from "@/testing/runs";

beforeEach(() => {
  installLayout();
  installEventSource();
});

const at = "2026-11-26T10:00:00.000000Z";

function columns(runs: readonly Run[], baseline: string | null): ComparedRuns {
  const cell = (last: number) => ({
    count: 10,
    first: 1,
    last,
    last_step: 9,
    min: last,
    min_step: 9,
    max: 1,
    max_step: 0,
    best: last,
    best_step: 9,
  });
  return {
    runs: runs.map((run) => ({ ...run, duration_seconds: 5 })),
    baseline_run_id: baseline,
    metrics: [
      {
        key: "loss",
        direction: "min",
        differs: true,
        cells: [cell(0.5), cell(0.25)],
        best_run_id: runs[1]?.id ?? null,
        baseline: baseline ? 0.5 : null,
        deltas: baseline
          ? [
              { absolute: 0, relative: 0 },
              { absolute: -0.25, relative: -0.5 },
            ]
          : [null, null],
      },
      {
        key: "epochs",
        direction: null,
        differs: false,
        cells: [cell(3), null],
        best_run_id: null,
        baseline: null,
        deltas: [null, null],
      },
    ],
    params: [
      { key: "lr", differs: true, values: [0.1, 0.01], missing: [] },
      { key: "seed", differs: true, values: [7, null], missing: [1] },
      { key: "optimizer", differs: false, values: ["adam", "adam"], missing: [] },
    ],
    tags: [],
    environment: [{ key: "git.commit", differs: true, values: ["aaa", "bbb"], missing: [] }],
    artifacts: [
      {
        path: "model.bin",
        differs: true,
        cells: [{ id: newId(), sha256: "ab".repeat(32), size: 10 }, null],
      },
    ],
    missing: [],
    omitted: {},
  } as unknown as ComparedRuns;
}

function compared() {
  const all = bench();
  const { backend, project } = all;
  const recordings = new Recordings(backend, project.id);
  const experiment = recordings.addExperiment("Sweep");
  const runs = [
    recordings.addRun(experiment, "brave-fox"),
    recordings.addRun(experiment, "calm-owl"),
  ];
  const asked: unknown[] = [];
  const saved: Comparison[] = [];
  backend.on("POST /api/v1/comparisons/runs", ({ body }) => {
    asked.push(body);
    const baseline = typeof body.baseline_run_id === "string" ? body.baseline_run_id : null;
    return Response.json(columns(runs, baseline));
  });
  backend.on("GET /api/v1/projects/{}/comparisons", () => page(saved));
  backend.on("POST /api/v1/projects/{}/comparisons", ({ params: [project_id = ""], body }) => {
    const made = {
      id: newId(),
      project_id,
      created_at: at,
      updated_at: at,
      created_by: newId(),
      updated_by: newId(),
      version: 1,
      ...body,
    } as unknown as Comparison;
    saved.unshift(made);
    return Response.json(made, { status: 201 });
  });
  backend.on("DELETE /api/v1/comparisons/{}", ({ params: [id] }) => {
    saved.splice(
      saved.findIndex((one) => one.id === id),
      1,
    );
    return new Response(null, { status: 204 });
  });
  const ids = encodeURIComponent(JSON.stringify(runs.map(({ id }) => id)));
  return { ...all, runs, asked, saved, address: `/p/motor-bench/compare?runs=${ids}` };
}

test("the metrics stand side by side, with the best marked and what is missing shown as missing", async () => {
  const { backend, address } = compared();
  const { user } = await renderApp(address, backend);
  const table = await screen.findByRole("table", { name: "Metrics side by side" });
  const loss = within(table).getByRole("row", { name: /^loss/ });
  expect(within(loss).getByRole("img", { name: "the best" }).closest("td")).toHaveTextContent(
    "0.25",
  );
  expect(within(table).queryByRole("row", { name: /^epochs/ })).toBeNull();
  await user.click(screen.getByRole("checkbox", { name: "Only what differs" }));
  expect(await within(table).findByRole("row", { name: /epochs 3 —/ })).toBeInTheDocument();
});

test("a baseline shows how far the others are from it, and stands in the address", async () => {
  const { backend, address, asked, runs } = compared();
  const { user, where } = await renderApp(address, backend);
  await user.click(await screen.findByRole("combobox", { name: "Baseline" }));
  await user.click(await screen.findByRole("option", { name: "brave-fox" }));
  const loss = await screen.findByRole("row", { name: /^loss.*-0\.25 \(-50%\)/ });
  expect(loss).toBeInTheDocument();
  expect(where()).toContain(`baseline=${runs[0]?.id}`);
  expect(asked.at(-1)).toMatchObject({ baseline_run_id: runs[0]?.id });
});

test("the baseline is kept for the experiment, and taken back", async () => {
  const { backend, address, runs } = compared();
  let kept: string | null = null;
  const answer = () =>
    Response.json({ experiment_id: newId(), run_id: kept, set_at: null, set_by: null });
  backend.on("GET /api/v1/experiments/{}/baseline", answer);
  backend.on("PUT /api/v1/experiments/{}/baseline", ({ body }) => {
    kept = String(body.run_id);
    return answer();
  });
  backend.on("DELETE /api/v1/experiments/{}/baseline", () => {
    kept = null;
    return new Response(null, { status: 204 });
  });
  const { user } = await renderApp(`${address}&baseline=${runs[0]?.id}`, backend);
  await user.click(await screen.findByRole("button", { name: "Keep it for the experiment" }));
  await waitFor(() => expect(kept).toBe(runs[0]?.id));
  await user.click(await screen.findByRole("button", { name: "Clear it for the experiment" }));
  await waitFor(() => expect(kept).toBeNull());
});

test("params that differ come alone, and all on demand", async () => {
  const { backend, address } = compared();
  await renderApp(`${address}&tab=params`, backend);
  const table = await screen.findByRole("table", { name: "Params side by side" });
  expect(within(table).getByRole("row", { name: /lr 0.1 0.01/ })).toBeInTheDocument();
  expect(within(table).getByRole("row", { name: /seed 7 —/ })).toBeInTheDocument();
  expect(within(table).queryByRole("row", { name: /optimizer/ })).toBeNull();
});

test("a comparison is saved with its notes, opened again and removed", async () => {
  const { backend, address, saved, runs } = compared();
  const { user, where } = await renderApp(`${address}&tab=params`, backend);
  await user.click(await screen.findByRole("button", { name: "Save…" }));
  await user.type(await screen.findByLabelText("Title"), "Which rate");
  await user.type(screen.getByLabelText("Notes"), "The *smaller* one");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(saved).toHaveLength(1));
  expect(saved[0]?.view).toMatchObject({ runs: runs.map(({ id }) => id), tab: "params" });
  cleanup();
  const again = await renderApp("/p/motor-bench/compare", backend);
  await again.user.click(await screen.findByRole("link", { name: "Which rate" }));
  expect(await screen.findByRole("table", { name: "Params side by side" })).toBeInTheDocument();
  expect(where()).toBeTruthy();
  await again.user.click(screen.getByRole("button", { name: "Remove “Which rate”" }));
  await again.user.click(await screen.findByRole("button", { name: "Remove" }));
  expect(await screen.findByText("Nothing is saved yet")).toBeInTheDocument();
});

test("runs that cannot be compared are said so in the server's words", async () => {
  const { backend, address } = compared();
  backend.on("POST /api/v1/comparisons/runs", () => problem(404, "not-found"));
  await renderApp(address, backend);
  expect(await screen.findByText("The runs could not be compared")).toBeInTheDocument();
});
