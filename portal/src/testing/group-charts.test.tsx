import {
  createMemoryHistory,
  createRootRoute,
  createRouter,
  type RouterHistory,
} from "@tanstack/react-router";
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http } from "msw";
import { useState } from "react";
import { beforeEach, expect, test } from "vitest";
import { Application } from "@/app/Application";
import { activate } from "@/app/i18n";
import { createQueryClient } from "@/app/queries";
import RunsCharts from "@/features/metrics/components/RunsCharts";
import type { ChartRun } from "@/features/metrics/runs";
import { bench } from "@/testing/bench";
import { installEventSource } from "@/testing/event-source";
import { installLayout } from "@/testing/layout";
import { Recordings } from "@/testing/runs";
import { server } from "@/testing/server";

beforeEach(() => {
  installLayout();
  installEventSource();
});

/** The charts as a page holds them, of two groups of two runs. */
async function renderGroups() {
  const { backend, project } = bench();
  const recordings = new Recordings(backend, project.id);
  const experiment = recordings.addExperiment("Digits");
  const runs = ["adam", "adam", "sgd", "sgd"].map((group, index): ChartRun => {
    const run = recordings.addRun(experiment, `${group}-${index}`);
    recordings.log(
      run,
      "loss",
      Array.from({ length: 10 }, (_, step) => [step, step + index] as const),
    );
    const look = group === "adam" ? 0 : 1;
    return { id: run.id, name: run.name, look, hidden: false, status: run.status, group };
  });
  server.use(http.all("*", ({ request }) => backend.handle(request)));
  await activate("en");

  function Page() {
    const [state, setState] = useState<Record<string, unknown>>({});
    const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
    return (
      <RunsCharts
        runs={runs.map((run) => ({ ...run, hidden: hidden.has(run.id) }))}
        state={state}
        onState={(change) => setState((old) => ({ ...old, ...change }))}
        onHide={(id, hide) =>
          setHidden((old) => new Set(hide ? [...old, id] : [...old].filter((one) => one !== id)))
        }
      />
    );
  }
  const history: RouterHistory = createMemoryHistory();
  const router = createRouter({ routeTree: createRootRoute({ component: Page }), history });
  render(<Application queryClient={createQueryClient()} router={router} env="test" />);
  return { recordings, user: userEvent.setup() };
}

const figure = () => screen.findByRole("figure", { name: /^loss/ });

test("groups are one line each: their mean, over stretches that all runs share", async () => {
  const { recordings } = await renderGroups();
  const chart = await figure();
  expect(chart).toHaveTextContent("adam, sgd");
  expect(chart).toHaveTextContent("40 points");
  expect(chart).toHaveTextContent("Mean of each group");
  expect(recordings.askedBuckets).toHaveLength(1);
  expect(recordings.askedBuckets[0]?.getAll("run_id")).toHaveLength(4);
});

test("the cursor says a group's mean, and a hidden group leaves the chart", async () => {
  const { user } = await renderGroups();
  const chart = await figure();
  await waitFor(() => expect(chart.querySelector("canvas")).not.toBeNull());
  within(chart).getByRole("application").focus();
  await user.keyboard("[ArrowRight]");
  expect(await within(chart).findByText(/^Step 0: .*adam 0\.5/)).toBeInTheDocument();
  const legend = screen.getByRole("list", { name: "Lines" });
  await user.click(within(legend).getByRole("button", { name: "adam (2)" }));
  await waitFor(async () => expect(await figure()).toHaveTextContent("loss, sgd, steps"));
  expect(await figure()).toHaveTextContent("20 points");
});
