import { act, screen, waitFor, within } from "@testing-library/react";
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
  sessionStorage.clear();
});

const going = { status: "running", finished_at: null, duration_seconds: null } as const;
const curve = (count: number, factor = 1) =>
  Array.from({ length: count }, (_, step) => [step, step * factor] as const);

function recorded() {
  const { backend, project } = bench();
  const recordings = new Recordings(backend, project.id);
  const experiment = recordings.addExperiment("Digits");
  const owl = recordings.addRun(experiment, "owl");
  const fox = recordings.addRun(experiment, "fox");
  return { backend, recordings, experiment, owl, fox };
}

const figure = (name: string) => screen.findByRole("figure", { name: new RegExp(`^${name}`) });
const legend = () => screen.findByRole("list", { name: "Lines" });
const address = (charts: object) => `${page}?charts=${encodeURIComponent(JSON.stringify(charts))}`;

test("every metric has one panel with all runs in it, fetched with one request", async () => {
  const { backend, recordings, owl, fox } = recorded();
  for (const run of [owl, fox]) {
    recordings.log(run, "loss", curve(20));
    recordings.log(run, "accuracy", curve(10));
  }
  await renderApp(page, backend);
  expect(await figure("loss")).toHaveTextContent("40 points");
  expect(await figure("accuracy")).toHaveTextContent("20 points");
  const drawn = recordings.askedSeries.filter((query) => query.get("key") !== "-");
  expect(drawn).toHaveLength(1);
  expect(drawn[0]?.getAll("run_id")).toHaveLength(2);
  expect(drawn[0]?.getAll("key")).toEqual(["accuracy", "loss"]);
});

test("a line is hidden by its name and seen alone by the button beside it; both stand in the address", async () => {
  const { backend, recordings, owl, fox } = recorded();
  recordings.log(owl, "loss", curve(20));
  recordings.log(fox, "loss", curve(5));
  const { user, where } = await renderApp(page, backend);
  expect(await figure("loss")).toHaveTextContent("25 points");
  await user.click(within(await legend()).getByRole("button", { name: "owl" }));
  await waitFor(async () => expect(await figure("loss")).toHaveTextContent("5 points"));
  expect(where()).toContain("hidden");
  await user.click(within(await legend()).getByRole("button", { name: "owl" }));
  await user.click(within(await legend()).getByRole("button", { name: "Only owl" }));
  await waitFor(async () => expect(await figure("loss")).toHaveTextContent("20 points"));
  expect(decodeURIComponent(where())).toContain(owl.id);
  await user.click(screen.getByRole("button", { name: "Show all runs again" }));
  await waitFor(async () => expect(await figure("loss")).toHaveTextContent("25 points"));
});

test("another axis is asked of the server, and stands in the address", async () => {
  const { backend, recordings, owl, fox } = recorded();
  for (const run of [owl, fox]) recordings.log(run, "loss", curve(20));
  const { user, where } = await renderApp(page, backend);
  await figure("loss");
  await user.click(screen.getByRole("radio", { name: "Since the start" }));
  await waitFor(() => expect(recordings.askedSeries.at(-1)?.get("x")).toBe("relative"));
  expect(decodeURIComponent(where())).toContain("relative");
  expect(await figure("loss")).toHaveTextContent("from 0 s to 19 s");
});

test("a zoom of long series asks for all panels' details at once, and names how much is shown", async () => {
  const { backend, recordings, owl, fox } = recorded();
  for (const run of [owl, fox]) {
    recordings.log(run, "loss", curve(9000));
    recordings.log(run, "norm", curve(9000));
  }
  await renderApp(address({ zoom: "100..400" }), backend);
  await waitFor(async () => expect(await figure("loss")).toHaveTextContent("602 points"));
  const zoomed = recordings.askedSeries.filter((query) => query.has("from_step"));
  expect(zoomed).toHaveLength(1);
  expect(zoomed[0]?.getAll("key")).toEqual(["loss", "norm"]);
  expect(zoomed[0]?.getAll("run_id")).toHaveLength(2);
});

test("all running runs share one stream, and their points appear beside finished ones", async () => {
  const { backend, recordings, experiment, owl } = recorded();
  const live = recordings.addRun(experiment, "live", going);
  const second = recordings.addRun(experiment, "second", going);
  for (const run of [owl, live, second]) recordings.log(run, "loss", curve(5));
  recordings.ordinal = 3;
  await renderApp(page, backend);
  expect(await figure("loss")).toHaveTextContent("15 points");
  const stream = await waitFor(() => {
    const found = FakeEventSource.find("/api/v1/metrics/stream");
    if (!found) throw new Error("no stream yet");
    return found;
  });
  const asked = new URL(stream.url).searchParams;
  const followed = asked.getAll("run_id");
  expect(new Set(followed)).toEqual(new Set([live.id, second.id]));
  expect(asked.get("after")).toBe(followed.map((id) => `${id}:3`).join(","));
  const id = `abcdef01.${followed.map((one) => (one === live.id ? 4 : 3)).join(".")}`;
  act(() => {
    stream.open();
    const series = [{ key: "loss", step: [5, 6], value: [1, 2], time: [1, 2] }];
    stream.send("metrics", { run_id: live.id, series }, id);
  });
  await waitFor(async () => expect(await figure("loss")).toHaveTextContent("17 points"));
  expect(FakeEventSource.opened.filter(({ url }) => url.includes("/metrics/stream"))).toHaveLength(
    1,
  );
});

test("with hundreds of metrics nothing is drawn until somebody chooses", async () => {
  const { backend, recordings, owl } = recorded();
  for (let index = 0; index < 250; index++) recordings.log(owl, `layer${index}/norm`, curve(3));
  const { user, where } = await renderApp(page, backend);
  expect(
    await screen.findByText("250 metrics: search for those that you want to see."),
  ).toBeInTheDocument();
  expect(recordings.askedSeries.filter((query) => query.get("key") !== "-")).toHaveLength(0);
  await user.type(screen.getByRole("searchbox", { name: "Search metrics" }), "^layer1[[]?0/");
  await user.click(await screen.findByRole("button", { name: "layer10/norm" }));
  expect(await figure("layer10/norm")).toHaveTextContent("3 points");
  expect(decodeURIComponent(where())).toContain('"add":["layer10/norm"]');
});
