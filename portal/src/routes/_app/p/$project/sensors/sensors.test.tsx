import { act, cleanup, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { problem } from "@/testing/backend";
import { bench } from "@/testing/bench";
import { FakeEventSource, installEventSource } from "@/testing/event-source";
import { installLayout } from "@/testing/layout";
import { renderApp } from "@/testing/render";
import { Rig } from "@/testing/sensors";

beforeEach(() => {
  installLayout();
  installEventSource();
});

function rigged() {
  const all = bench();
  return { ...all, rig: new Rig(all.backend, all.project.id) };
}

const list = "/p/motor-bench/sensors";
const now = () => Date.now() * 1000;
const stream = () =>
  waitFor(() => {
    const found = FakeEventSource.find("/telemetry/stream");
    if (!found) throw new Error("no stream yet");
    return found;
  });
const figure = (name: string) => screen.findByRole("figure", { name: new RegExp(`^${name}`) });

test("the list shows each sensor's health and its last values in their units", async () => {
  const { backend, rig } = rigged();
  const inlet = rig.addSensor("Inlet");
  rig.addSensor("Outlet", { health: "offline" });
  rig.measure(inlet, "temperature", [[now(), 2.5]]);
  await renderApp(list, backend);
  const row = await screen.findByRole("row", { name: /Inlet/ });
  expect(row).toHaveTextContent("Online");
  await waitFor(() => expect(row).toHaveTextContent("temperature 25 °C"));
  expect(screen.getByRole("row", { name: /Outlet/ })).toHaveTextContent("Offline");
});

test("an empty list says what a sensor is and shows the lines that send a reading", async () => {
  const { backend } = rigged();
  await renderApp(list, backend);
  expect(await screen.findByText("Register the first sensor")).toBeInTheDocument();
  expect(screen.getByText(/runbench\.Sensor\(/)).toBeInTheDocument();
});

test("a sensor is registered with its signals, and its token is shown once with lines to paste", async () => {
  const { backend, rig } = rigged();
  const { user, where } = await renderApp(`${list}?register=true`, backend);
  await user.type(await screen.findByLabelText("Name"), "Tunnel inlet");
  await user.type(screen.getByLabelText("Signal 1"), "temperature");
  await user.type(screen.getByLabelText("Rate, Hz"), "12,5");
  await user.click(screen.getByRole("button", { name: "Register" }));
  expect(await screen.findByText(/“Tunnel inlet” is registered/)).toBeInTheDocument();
  expect(screen.getByText(/^rb_sensor_8FkQ2mZx_s+/)).toBeInTheDocument();
  expect(screen.getByText(/token="rb_sensor_8FkQ2mZx_s+/)).toBeInTheDocument();
  expect(rig.sensors[0]?.signals[0]).toMatchObject({
    name: "temperature",
    input_unit: "",
    expected_rate_hz: 12.5,
  });
  await user.click(screen.getByRole("button", { name: /I have kept it/ }));
  await waitFor(() => expect(where()).toBe(`${list}/${rig.sensors[0]?.id}`));
  await waitFor(() => expect(screen.queryAllByText(/rb_sensor_8FkQ2mZx_s/)).toEqual([]));
});

test("a name that is taken is said beside the field", async () => {
  const { backend, rig } = rigged();
  rig.addSensor("Inlet");
  const { user } = await renderApp(`${list}?register=true`, backend);
  await user.type(await screen.findByLabelText("Name"), "Inlet");
  await user.type(screen.getByLabelText("Signal 1"), "temperature");
  await user.click(screen.getByRole("button", { name: "Register" }));
  expect(await screen.findByText("“Inlet” exists already.")).toBeInTheDocument();
});

test("viewers see sensors and change nothing", async () => {
  const { backend, rig, wu, project } = rigged();
  const sensor = rig.addSensor("Inlet");
  project.members.push({
    user_id: wu.id,
    name: wu.name,
    email: wu.email,
    role: "viewer",
    added_at: "2026-05-04T10:00:00.000000Z",
  });
  backend.user = wu;
  await renderApp(`${list}/${sensor.id}?tab=token`, backend);
  expect(await screen.findByRole("table", { name: "Tokens of the sensor" })).toBeInTheDocument();
  expect(screen.queryByRole("button", { name: "Make a new token" })).not.toBeInTheDocument();
  expect(screen.queryByRole("button", { name: "Decommission" })).not.toBeInTheDocument();
});

test("a token is rotated: the new one is shown once, the old one ends after its grace", async () => {
  const { backend, rig } = rigged();
  const sensor = rig.addSensor("Inlet");
  const { user } = await renderApp(`${list}/${sensor.id}?tab=token`, backend);
  await user.click(await screen.findByRole("button", { name: "Make a new token" }));
  expect(await screen.findByText(/^rb_sensor_Zz9newer_n+/)).toBeInTheDocument();
  const asked = backend.calls.find(({ method, path }) => method === "POST" && /tokens$/.test(path));
  expect(asked?.body).toEqual({ grace_seconds: 86_400 });
  const table = screen.getByRole("table", { name: "Tokens of the sensor" });
  await waitFor(() => expect(within(table).getAllByRole("row")).toHaveLength(3));
  expect(within(table).getByRole("row", { name: /8FkQ2mZx/ })).toHaveTextContent(/ends/);
});

test("decommissioning wants the sensor's name, and says what stays", async () => {
  const { backend, rig } = rigged();
  const sensor = rig.addSensor("Inlet");
  const { user } = await renderApp(`${list}/${sensor.id}`, backend);
  await user.click(await screen.findByRole("button", { name: "Decommission" }));
  expect(screen.getByText(/its readings stay/)).toBeInTheDocument();
  const confirm = screen.getByRole("button", { name: "Decommission" });
  expect(confirm).toBeDisabled();
  await user.type(screen.getByLabelText("Type the sensor's name to go on"), "Inlet");
  await user.click(confirm);
  await waitFor(() => expect(sensor.status).toBe("decommissioned"));
  expect(await screen.findByText(/^Decommissioned: its readings stay/)).toBeInTheDocument();
});

test("a profile is typed, tried in the calculator, saved and published", async () => {
  const { backend, rig } = rigged();
  const sensor = rig.addSensor("Inlet");
  rig.measure(sensor, "temperature", [[now(), 4]]);
  const { user } = await renderApp(`${list}/${sensor.id}?tab=profiles`, backend);
  expect(await screen.findByText("No conversion profile yet")).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "New profile" }));
  await user.clear(screen.getByLabelText("Slope a"));
  await user.type(screen.getByLabelText("Slope a"), "2,5");
  await user.clear(screen.getByLabelText("Offset b"));
  await user.type(screen.getByLabelText("Offset b"), "-1");
  const raw = screen.getByLabelText("Calculator: a raw value");
  await user.clear(raw);
  await user.type(raw, "8");
  expect(await screen.findByText("19")).toBeInTheDocument();
  await user.clear(raw);
  await user.type(raw, "2000");
  expect(await screen.findByText("It lies outside the table.")).toBeInTheDocument();
  expect(await figure("Raw against physical")).toHaveTextContent("101 points");
  await user.click(screen.getByRole("button", { name: "Save the draft" }));
  await waitFor(() => expect(rig.profiles[0]?.parameters).toEqual({ a: 2.5, b: -1 }));
  await user.click(await screen.findByRole("button", { name: "Publish temperature v1" }));
  await user.click(screen.getByRole("button", { name: "Publish" }));
  await waitFor(() => expect(rig.profiles[0]?.state).toBe("active"));
  expect(await screen.findByText("2.5 · x − 1, °C")).toBeInTheDocument();
});

test("a table with a line that is no pair says which, and is not saved", async () => {
  const { backend, rig } = rigged();
  const sensor = rig.addSensor("Inlet");
  const { user } = await renderApp(`${list}/${sensor.id}?tab=profiles`, backend);
  await user.click(await screen.findByRole("button", { name: "New profile" }));
  await user.click(screen.getByRole("radio", { name: "Table" }));
  const table = screen.getByLabelText("Table", { selector: "textarea" });
  await user.clear(table);
  await user.type(table, "0 0{Enter}5 x{Enter}10 100");
  expect(await screen.findByText("Line 2 is not a pair of numbers.")).toBeInTheDocument();
  expect(screen.getByRole("button", { name: "Save the draft" })).toBeDisabled();
});

test("readings move the curves as they arrive; while paused they are counted", async () => {
  const { backend, rig } = rigged();
  const sensor = rig.addSensor("Inlet");
  const { user } = await renderApp(`${list}/${sensor.id}`, backend);
  const live = await stream();
  act(() => live.open());
  const send = (value: number) =>
    act(() =>
      live.send("readings", {
        sensor_id: sensor.id,
        series: [{ signal: "temperature", t: [now()], raw: [value], physical: [value * 10] }],
      }),
    );
  send(1.25);
  await waitFor(async () => expect(await figure("temperature")).toHaveTextContent("1.25"));
  await user.click(screen.getByRole("button", { name: "Pause live updates" }));
  send(77.7);
  const follow = await screen.findByRole("button", { name: "Live +1 points" });
  expect(await figure("temperature")).not.toHaveTextContent("77.7");
  await user.click(follow);
  await waitFor(async () => expect(await figure("temperature")).toHaveTextContent("77.7"));
});

test("charts are moved without a mouse, and the address keeps their order", async () => {
  const { backend, rig } = rigged();
  const one = { title: "", input_unit: "", display_unit: "", expected_rate_hz: null };
  const sensor = rig.addSensor("Inlet", {
    signals: [
      { ...one, name: "a" },
      { ...one, name: "b" },
    ],
  });
  const { user, where } = await renderApp(`${list}/${sensor.id}`, backend);
  await user.click(await screen.findByRole("button", { name: "Move b to the left" }));
  await waitFor(() => expect(where()).toContain("order="));
  const figures = await screen.findAllByRole("figure");
  expect(figures.map((one) => within(one).getByRole("heading").textContent)).toEqual(["b", "a"]);
});

test("history asks for the last hour of readings, and exports what is in view", async () => {
  const { backend, rig } = rigged();
  const last = new Date();
  const sensor = rig.addSensor("Inlet", { last_received_at: last.toISOString() });
  rig.measure(sensor, "temperature", [
    [last.getTime() * 1000 - 1_000_000, 1],
    [last.getTime() * 1000, 2],
  ]);
  await renderApp(`${list}/${sensor.id}?tab=history&values=raw`, backend);
  expect(await figure("temperature")).toHaveTextContent("2 points");
  const asked = rig.askedSeries.at(-1);
  expect(Number(asked?.get("to")) - Number(asked?.get("from"))).toBe(3_600_000_000);
  expect(asked?.get("values")).toBe("raw");
  expect(screen.getByRole("button", { name: "Export what is in view" })).toBeInTheDocument();
});

test("the sensor's page shows in which minutes it sent, and the longest way", async () => {
  const { backend, rig } = rigged();
  const sensor = rig.addSensor("Inlet");
  for (const ago of [0, 1, 5]) {
    rig.beats.push({
      minute: new Date(Math.floor(Date.now() / 60_000 - ago) * 60_000).toISOString(),
      readings: 600,
      batches: 60,
      max_latency_us: ago === 5 ? 42_000_000 : 30_000,
    });
  }
  await renderApp(`${list}/${sensor.id}`, backend);
  expect(
    await screen.findByRole("img", { name: "Sent in 3 of the last 60 minutes" }),
  ).toBeInTheDocument();
  expect(screen.getByText(/It sent in 3 minutes/)).toHaveTextContent(
    "10 readings a second on average, the longest way took 42s",
  );
});

test("refused data stands in the errors with its reason", async () => {
  const { backend, rig } = rigged();
  const sensor = rig.addSensor("Inlet");
  rig.errors.push({
    minute: "2026-11-22T09:00:00.000000Z",
    last_at: "2026-11-22T09:00:12.000000Z",
    signal: "temperature",
    reason: "before 1990; times are microseconds since 1970",
    example: "-1",
    count: 12,
  });
  await renderApp(`${list}/${sensor.id}?tab=errors`, backend);
  const row = await screen.findByRole("row", { name: /before 1990/ });
  expect(row).toHaveTextContent("temperature");
  expect(row).toHaveTextContent("12");
});

function batch(sensorId: string, projectId: string, id: string, reason: string) {
  return {
    id,
    sensor_id: sensorId,
    project_id: projectId,
    batch_id: null,
    received_at: "2026-11-22T09:00:00.000000Z",
    set_aside_at: "2026-11-22T09:00:01.000000Z",
    reason,
    readings: 40,
    signals: ["temperature"],
    bytes: 900,
  };
}

test("batches that were set aside are stored after all, or discarded by an owner", async () => {
  const { backend, rig, project } = rigged();
  const sensor = rig.addSensor("Inlet");
  rig.setAside.push(
    batch(sensor.id, project.id, "b1", "DataError: out of range"),
    batch(sensor.id, project.id, "b2", "LookupError: no shard"),
  );
  const { user } = await renderApp(`${list}/${sensor.id}?tab=errors`, backend);
  const bad = await screen.findByRole("row", { name: /out of range/ });
  expect(bad).toHaveTextContent("40");
  const good = screen.getByRole("row", { name: /no shard/ });
  await user.click(within(good).getByRole("button", { name: "Try again" }));
  await waitFor(() => expect(screen.queryByRole("row", { name: /no shard/ })).toBeNull());
  await user.click(within(bad).getByRole("button", { name: "Try again" }));
  expect(await screen.findByText("The batch still cannot be stored")).toBeInTheDocument();
  await user.click(within(bad).getByRole("button", { name: "Discard" }));
  expect(within(bad).getByText(/gone for good/)).toBeInTheDocument();
  await user.click(within(bad).getByRole("button", { name: "Discard" }));
  await waitFor(() => expect(screen.queryByText("Set aside")).toBeNull());
  expect(rig.setAside).toEqual([]);
});

test("the rig monitor shows every signal, those in trouble first", async () => {
  const { backend, rig } = rigged();
  const good = rig.addSensor("Alpha");
  rig.addSensor("Omega", { health: "offline" });
  rig.measure(good, "temperature", [[now(), 2.5]]);
  await renderApp("/p/motor-bench/monitor", backend);
  const tiles = await screen.findAllByRole("listitem");
  const words = tiles
    .map(({ textContent }) => textContent)
    .filter((text) => /Alpha|Omega/.test(text ?? ""));
  expect(words[0]).toContain("Omega");
  await waitFor(() => expect(screen.getByText("25")).toBeInTheDocument());
  expect(screen.getByText(/latency 40\s?ms/)).toBeInTheDocument();
});

test("sensors speak Russian", async () => {
  const { backend, rig } = rigged();
  const sensor = rig.addSensor("Вход");
  await renderApp(`${list}/${sensor.id}`, backend, { language: "ru" });
  expect(await screen.findByRole("tab", { name: "Профили" })).toBeInTheDocument();
  cleanup();
  await renderApp(list, backend, { language: "ru" });
  expect(await screen.findByRole("heading", { level: 1, name: "Датчики" })).toBeInTheDocument();
  expect(await screen.findByText("На связи")).toBeInTheDocument();
  expect(screen.getByRole("link", { name: "Зарегистрировать датчик" })).toBeInTheDocument();
});

test("a file of readings is brought by choosing or dropping it, and what was refused is said", async () => {
  const { backend, rig } = rigged();
  const inlet = rig.addSensor("Inlet");
  rig.imported = {
    ...rig.imported,
    accepted: 1200,
    duplicates: 200,
    rejected: [{ index: 7, signal: "temperature", reason: "not a number" }],
    rejected_count: 1,
  };
  const { user } = await renderApp(`${list}/${inlet.id}?tab=history`, backend);
  const panel = await screen.findByRole("region", { name: "Import a file" });
  await user.click(within(panel).getByRole("checkbox", { name: /Leave out columns/ }));
  const chooser = panel.querySelector("input[type=file]") as HTMLInputElement;
  await user.upload(chooser, new File(["t,temperature\n"], "logger.csv", { type: "text/csv" }));
  expect(await within(panel).findByText("“logger.csv” is imported")).toBeInTheDocument();
  expect(panel).toHaveTextContent(
    "1,200 readings are stored (200 of them were there already); 1 was refused.",
  );
  expect(within(panel).getByRole("row", { name: /7 temperature not a number/ })).toBeVisible();
  expect(rig.imports).toEqual([{ sensor: inlet.id, ignoreUnknown: "true" }]);
});

test("a file that cannot be read is refused in words, and a viewer is offered none", async () => {
  const { backend, rig, project } = rigged();
  const inlet = rig.addSensor("Inlet");
  backend.on("POST /api/v1/sensors/{}/imports", () =>
    problem(422, "invalid", { detail: "The sensor has no such signals: wind." }),
  );
  const { user } = await renderApp(`${list}/${inlet.id}?tab=history`, backend);
  const panel = await screen.findByRole("region", { name: "Import a file" });
  const chooser = panel.querySelector("input[type=file]") as HTMLInputElement;
  await user.upload(chooser, new File(["t,wind\n"], "logger.csv", { type: "text/csv" }));
  expect(await within(panel).findByText(/no such signals: wind/)).toBeInTheDocument();
  cleanup();
  for (const member of project.members) member.role = "viewer";
  await renderApp(`${list}/${inlet.id}?tab=history`, backend);
  await screen.findByRole("tab", { name: "History", selected: true });
  expect(screen.queryByRole("region", { name: "Import a file" })).toBeNull();
});

test("a limit on a signal is set and forgotten", async () => {
  const { backend, rig } = rigged();
  const sensor = rig.addSensor("Inlet");
  const { user } = await renderApp(`${list}/${sensor.id}`, backend);
  const limits = await screen.findByRole("region", { name: "Limits" });
  await user.click(within(limits).getByRole("button", { name: "Set limit" }));
  expect(await within(limits).findByText("A limit is a number.")).toBeVisible();
  await user.type(within(limits).getByLabelText("Limit"), "80,5");
  await user.type(within(limits).getByLabelText("Again after it was back at"), "70");
  await user.click(within(limits).getByRole("button", { name: "Set limit" }));
  expect(await within(limits).findByText(/temperature > 80.5/)).toHaveTextContent("back at 70");
  expect(rig.watches[0]).toMatchObject({ direction: "above", threshold: 80.5, rearm_at: 70 });
  await user.click(within(limits).getByRole("button", { name: "Forget temperature > 80.5" }));
  await waitFor(() => expect(rig.watches).toEqual([]));
});
