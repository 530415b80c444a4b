import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { bench } from "@/testing/bench";
import { installEventSource } from "@/testing/event-source";
import { installLayout } from "@/testing/layout";
import { renderApp } from "@/testing/render";
import { Recordings } from "@/testing/runs";
import { Rig } from "@/testing/sensors";

beforeEach(() => {
  installLayout();
  installEventSource();
});

function recorded(status: "running" | "succeeded" = "running") {
  const { backend, project } = bench();
  const recordings = new Recordings(backend, project.id);
  const run = recordings.addRun(recordings.addExperiment("Tunnel"), "lucky-owl", {
    status,
    ...(status === "running" ? { finished_at: null, duration_seconds: null } : {}),
  });
  const rig = new Rig(backend, project.id);
  return { backend, rig, run, page: `/p/motor-bench/r/${run.id}?tab=telemetry` };
}

test("without any sensor the run says where to get one", async () => {
  const { backend, page } = recorded();
  await renderApp(page, backend);
  expect(await screen.findByText("No sensor to record")).toBeInTheDocument();
  expect(screen.getByRole("link", { name: "To the sensors" })).toBeInTheDocument();
});

test("record starts a session with a running clock, stop ends it", async () => {
  const { backend, rig, page } = recorded();
  rig.ofRun.push(rig.addSensor("Inlet").id);
  const { user } = await renderApp(page, backend);
  await user.type(await screen.findByLabelText("Name of the session"), "Warm-up");
  await user.click(screen.getByRole("button", { name: "Record" }));
  expect(await screen.findByRole("timer")).toHaveTextContent(/^0:00:0\d$/);
  expect(rig.sessions[0]).toMatchObject({ name: "Warm-up", status: "running" });
  await user.type(screen.getByLabelText("Text of the mark"), "Fan on");
  await user.click(screen.getByRole("button", { name: "Mark" }));
  await waitFor(() => expect(rig.events[0]?.text).toBe("Fan on"));
  await user.click(screen.getByRole("button", { name: "Stop" }));
  await waitFor(() => expect(rig.sessions[0]?.status).toBe("stopped"));
  expect(await screen.findByRole("button", { name: "Record" })).toBeInTheDocument();
  const row = screen.getByRole("row", { name: /1\. Warm-up/ });
  expect(row).toBeInTheDocument();
});

test("sensors are attached where they are recorded; without one nothing records", async () => {
  const { backend, rig, page } = recorded();
  const inlet = rig.addSensor("Inlet");
  const { user } = await renderApp(page, backend);
  expect(await screen.findByRole("button", { name: "Record" })).toBeDisabled();
  await user.click(screen.getByLabelText("Sensors of the run", { selector: "input" }));
  await user.click(await screen.findByRole("option", { name: "Inlet" }));
  await waitFor(() => expect(rig.ofRun).toEqual([inlet.id]));
  await waitFor(() => expect(screen.getByRole("button", { name: "Record" })).toBeEnabled());
});

test("a finished run shows its sessions and records no more", async () => {
  const { backend, rig, run, page } = recorded("succeeded");
  rig.ofRun.push(rig.addSensor("Inlet").id);
  rig.addSession(run.id, {
    name: "Cold",
    status: "stopped",
    started_at: "2026-11-22T09:00:00.000000Z",
    stopped_at: "2026-11-22T09:01:05.000000Z",
  });
  await renderApp(page, backend);
  expect(await screen.findByText("Only a running run records.")).toBeInTheDocument();
  expect(screen.getByRole("button", { name: "Record" })).toBeDisabled();
  expect(screen.getByRole("row", { name: /Cold/ })).toHaveTextContent("0:01:05");
});

test("a session is shown clipped to itself, and says how many of its readings came late", async () => {
  const { backend, rig, run, page } = recorded();
  const inlet = rig.addSensor("Inlet");
  rig.ofRun.push(inlet.id);
  const begin = Date.parse("2026-11-22T09:00:00Z") * 1000;
  rig.measure(inlet, "temperature", [
    [begin + 1_000_000, 1],
    [begin + 2_000_000, 2],
    [begin + 3_000_000, 3],
  ]);
  rig.late = 2;
  const session = rig.addSession(run.id, {
    status: "stopped",
    started_at: "2026-11-22T09:00:00.000000Z",
    stopped_at: "2026-11-22T09:01:00.000000Z",
  });
  const { user, where } = await renderApp(page, backend);
  await user.click(await screen.findByRole("button", { name: "Show session #1" }));
  await waitFor(() => expect(where()).toContain(session.id));
  const chart = await screen.findByRole("figure", { name: /^temperature/ });
  await waitFor(() => expect(chart).toHaveTextContent("3 points"));
  expect(
    screen.getByText("2 readings came after the session had been stopped."),
  ).toBeInTheDocument();
  const asked = rig.askedSeries.at(-1);
  expect([Number(asked?.get("from")), Number(asked?.get("to"))]).toEqual([
    begin,
    begin + 60_000_000,
  ]);
  const table = screen.getByRole("table", { name: "Capture sessions" });
  expect(within(table).getByText(/2 came late/)).toBeInTheDocument();
});
