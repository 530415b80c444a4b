import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { bench } from "@/testing/bench";
import { FakeEventSource, installEventSource } from "@/testing/event-source";
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

test("a session that is told when to stop says how long it still records", async () => {
  const { backend, rig, page } = recorded();
  rig.ofRun.push(rig.addSensor("Inlet").id);
  const { user } = await renderApp(page, backend);
  await user.type(await screen.findByLabelText("Stops by itself after so many seconds"), "90");
  await user.click(screen.getByRole("button", { name: "Record" }));
  expect(await screen.findByText(/stops by itself in 0:01:[23]\d/)).toBeInTheDocument();
  expect(rig.sessions[0]?.stop_at).not.toBeNull();
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

/** A stopped session with its readings, opened. */
async function opened(
  readings: readonly (readonly [seconds: number, value: number | null])[],
  prepare: (rig: Rig, begin: number) => void = () => undefined,
) {
  const { backend, rig, run, page } = recorded();
  const inlet = rig.addSensor("Inlet");
  rig.ofRun.push(inlet.id);
  const begin = Date.parse("2026-11-22T09:00:00Z") * 1000;
  rig.measure(
    inlet,
    "temperature",
    readings.map(([seconds, value]) => [begin + seconds * 1e6, value] as const),
  );
  prepare(rig, begin);
  rig.addSession(run.id, {
    status: "stopped",
    started_at: "2026-11-22T09:00:00.000000Z",
    stopped_at: "2026-11-22T09:01:00.000000Z",
  });
  const { user } = await renderApp(page, backend);
  await user.click(await screen.findByRole("button", { name: "Show session #1" }));
  const chart = await screen.findByRole("figure", { name: /^temperature, °C/ });
  await waitFor(() => expect(chart).toHaveTextContent(`${readings.length} points`));
  return { user, rig, inlet, chart, begin };
}

test("late readings are marked in the chart, counted, and named in its table", async () => {
  const { user, chart } = await opened(
    [
      [1, 1],
      [1.1, 2],
      [1.2, 3],
    ],
    (rig, begin) => {
      rig.lateAt = [begin + 1_100_000];
    },
  );
  expect(chart).toHaveTextContent("1 late");
  within(chart).getByRole("application").focus();
  await user.keyboard("d");
  expect(within(chart).getByRole("cell", { name: "20, late" })).toBeInTheDocument();
});

test("what comes late while somebody looks is there at once", async () => {
  const { rig, inlet, chart, begin } = await opened([[1, 1]]);
  rig.measure(inlet, "temperature", [
    [begin + 1_000_000, 1],
    [begin + 1_100_000, 2],
  ]);
  rig.lateAt = [begin + 1_100_000];
  const stream = FakeEventSource.find("telemetry/stream");
  stream?.open();
  stream?.send("readings", {
    sensor_id: inlet.id,
    series: [{ signal: "temperature", t: [begin] }],
  });
  await waitFor(() => expect(chart).toHaveTextContent("1 late"), { timeout: 4000 });
});

test("the keyboard's cursor says where there is no data, and why a value is missing", async () => {
  const { user, chart } = await opened(
    [
      [1, 1],
      [1.1, 9],
      [1.2, 2],
      [1.3, null],
      [13.7, 3],
    ],
    (rig) => {
      rig.unconvertedAt = { out_of_table: [1] };
    },
  );
  expect(chart).toHaveTextContent("1 not converted: outside of the table");
  expect(chart).toHaveTextContent("1 NaN");
  within(chart).getByRole("application").focus();
  await user.keyboard("{ArrowRight}{ArrowRight}");
  const spoken = within(chart).getByRole("status");
  await waitFor(() => expect(spoken).toHaveTextContent("not converted: outside of the table"));
  await user.keyboard("{ArrowRight}{ArrowRight}");
  await waitFor(() => expect(spoken).toHaveTextContent("temperature no data for 12.5s"));
});

test("both values stand one above the other, each with its unit, and with the profile's version", async () => {
  const { user, chart, inlet, rig } = await opened([[1, 1]], (rig) => {
    const [sensor] = rig.sensors;
    rig.addProfile(sensor?.id ?? "", { version: 3, state: "active" });
  });
  expect(rig.profiles[0]?.sensor_id).toBe(inlet.id);
  await waitFor(() => expect(chart).toHaveTextContent("Physical, profile v3"));
  await user.click(screen.getByRole("radio", { name: "Both" }));
  const raw = await screen.findByRole("figure", { name: /^temperature, V/ });
  await waitFor(() => expect(raw).toHaveTextContent("Raw"));
  expect(screen.getByRole("figure", { name: /^temperature, °C/ })).toBeInTheDocument();
});

test("two cursors, put by keys, measure what lies between them", async () => {
  const { user, chart } = await opened([
    [1, 1],
    [1.5, 4],
    [2, 2],
    [2.5, 3],
  ]);
  within(chart).getByRole("application").focus();
  await user.keyboard("{ArrowRight}a{ArrowRight}{ArrowRight}b");
  const panel = await within(chart).findByRole("region", { name: /^Measured in temperature/ });
  expect(panel).toHaveTextContent("Δ 1 s");
  expect(panel).toHaveTextContent("1/Δ 1 Hz");
  const row = within(panel).getByRole("row", { name: /temperature/ });
  const cells = within(row).getAllByRole("cell");
  expect(cells.map(({ textContent }) => textContent)).toEqual([
    "10",
    "20",
    "10",
    "10",
    "40",
    "23.3333",
  ]);
  expect(within(panel).getByRole("slider", { name: /^Cursor A/ })).toBeInTheDocument();
  await user.click(within(panel).getByRole("button", { name: "Stop measuring" }));
  expect(panel).not.toBeInTheDocument();
});
