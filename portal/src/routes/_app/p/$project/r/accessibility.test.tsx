import { screen, waitFor } from "@testing-library/react";
import axe from "axe-core";
import { beforeEach, expect, test } from "vitest";
import { bench } from "@/testing/bench";
import { installEventSource } from "@/testing/event-source";
import { installLayout } from "@/testing/layout";
import { renderApp } from "@/testing/render";
import { Recordings } from "@/testing/runs";
import type { Language } from "@/ui/preferences";

// Colours are computed by no browser here: ui/palette.test.ts and ui/theme.test.ts see to contrast.
const rules = { "color-contrast": { enabled: false } };

beforeEach(() => {
  installLayout();
  installEventSource();
});

function recorded() {
  const { backend, project } = bench();
  const recordings = new Recordings(backend, project.id);
  const experiment = recordings.addExperiment("Digits", {
    description: "# Why",
    tags: { team: "ml" },
  });
  const run = recordings.addRun(experiment, "owl", {
    params: { lr: 0.1 },
    tags: { rig: "A" },
    notes: "- [x] done\n- [ ] open",
    environment: { python: "3.13" },
    metrics: { loss: 1 },
  });
  recordings.log(run, "train/loss", [
    [0, 1],
    [1, "NaN"],
    [2, 0.5],
  ]);
  return { backend, experiment, run };
}

const pages = {
  experiments: () => "x",
  "a new experiment": () => "x?create=true",
  "an experiment": ({ experiment }: ReturnType<typeof recorded>) => `x/${experiment.id}`,
  runs: () => "runs",
  "charts of runs": () => "runs?layout=charts",
  "a run": ({ run }: ReturnType<typeof recorded>) => `r/${run.id}`,
  "its charts": ({ run }: ReturnType<typeof recorded>) => `r/${run.id}?tab=metrics`,
  "its notes": ({ run }: ReturnType<typeof recorded>) => `r/${run.id}?tab=notes`,
  "its environment": ({ run }: ReturnType<typeof recorded>) => `r/${run.id}?tab=environment`,
};
const languages: Language[] = ["en", "ru"];

test.for(
  Object.entries(pages).flatMap(([name, path]) =>
    languages.map((language) => ({ name, path, language })),
  ),
)("axe finds nothing on $name ($language)", async ({ path, language }) => {
  const made = recorded();
  await renderApp(`/p/motor-bench/${path(made)}`, made.backend, { language });
  await screen.findByRole("heading", { level: 1, hidden: true });
  await waitFor(() => expect(document.querySelector('[aria-busy="true"]')).toBeNull());
  const { violations } = await axe.run(document.body, { rules });
  const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  expect(grave.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
});
