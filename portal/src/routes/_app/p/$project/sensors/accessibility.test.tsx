import { screen, waitFor } from "@testing-library/react";
import axe from "axe-core";
import { beforeEach, expect, test } from "vitest";
import { bench } from "@/testing/bench";
import { installEventSource } from "@/testing/event-source";
import { installLayout } from "@/testing/layout";
import { renderApp } from "@/testing/render";
import { Recordings } from "@/testing/runs";
import { Rig } from "@/testing/sensors";
import type { Language } from "@/ui/preferences";

// Colours are computed by no browser here: ui/palette.test.ts and ui/theme.test.ts see to contrast.
const rules = { "color-contrast": { enabled: false } };

beforeEach(() => {
  installLayout();
  installEventSource();
});

function rigged() {
  const { backend, project } = bench();
  const recordings = new Recordings(backend, project.id);
  const run = recordings.addRun(recordings.addExperiment("Tunnel"), "owl", { status: "running" });
  const rig = new Rig(backend, project.id);
  const sensor = rig.addSensor("Inlet", { last_received_at: new Date().toISOString() });
  rig.addSensor("Outlet", { health: "offline", shared_with: [project.id] });
  rig.ofRun.push(sensor.id);
  rig.measure(sensor, "temperature", [[Date.now() * 1000, 2.5]]);
  rig.addSession(run.id, { status: "stopped", stopped_at: new Date().toISOString() });
  rig.late = 1;
  return { backend, sensor: sensor.id, run: run.id };
}

const pages: Record<string, (made: ReturnType<typeof rigged>) => string> = {
  sensors: () => "sensors",
  "a new sensor": () => "sensors?register=true",
  "the rig monitor": () => "monitor",
  "a sensor": ({ sensor }) => `sensors/${sensor}`,
  "its history": ({ sensor }) => `sensors/${sensor}?tab=history`,
  "its profiles": ({ sensor }) => `sensors/${sensor}?tab=profiles`,
  "its tokens": ({ sensor }) => `sensors/${sensor}?tab=token`,
  "its errors": ({ sensor }) => `sensors/${sensor}?tab=errors`,
  "the telemetry of a run": ({ run }) => `r/${run}?tab=telemetry`,
};
const languages: Language[] = ["en", "ru"];

test.for(
  Object.entries(pages).flatMap(([name, path]) =>
    languages.map((language) => ({ name, path, language })),
  ),
)("axe finds nothing on $name ($language)", async ({ path, language }) => {
  const made = rigged();
  await renderApp(`/p/motor-bench/${path(made)}`, made.backend, { language });
  await screen.findByRole("heading", { level: 1, hidden: true });
  await waitFor(() => expect(document.querySelector('[aria-busy="true"]')).toBeNull());
  const { violations } = await axe.run(document.body, { rules });
  const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  expect(grave.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
});
