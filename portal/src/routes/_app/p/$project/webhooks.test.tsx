import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { bench } from "@/testing/bench";
import { renderApp } from "@/testing/render";
import { Webhooks } from "@/testing/webhooks";

const page = "/p/motor-bench/webhooks";

async function withOne() {
  const { backend } = bench();
  const there = new Webhooks(backend);
  const { user } = await renderApp(page, backend);
  await user.type(await screen.findByLabelText("Name"), "CI");
  await user.type(screen.getByLabelText("Address"), "https://ci.example.org/hook");
  await user.click(screen.getByLabelText("A run is interrupted"));
  await user.click(screen.getByRole("button", { name: "Add webhook" }));
  await user.click(await screen.findByRole("button", { name: "Done, I have kept it" }));
  return { there, user };
}

test("a webhook is told of what was chosen, and its secret is shown once", async () => {
  const { backend } = bench();
  const there = new Webhooks(backend);
  const { user } = await renderApp(page, backend);
  expect(await screen.findByText("No webhook yet")).toBeVisible();
  await user.type(screen.getByLabelText("Name"), "CI");
  await user.type(screen.getByLabelText("Address"), "https://ci.example.org/hook");
  await user.click(screen.getByLabelText("A run succeeds"));
  await user.click(screen.getByRole("button", { name: "Add webhook" }));

  expect(await screen.findByText("whsec_Zmlyc3Q=")).toBeVisible();
  expect(screen.getByRole("button", { name: "Copy the secret" })).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Done, I have kept it" }));
  expect(screen.queryByText(/whsec_/)).toBeNull();
  expect(there.webhooks[0]?.event_types).toEqual(["run.failed"]);
  expect(await screen.findByRole("region", { name: "CI" })).toBeVisible();
});

test("what cannot be an address, and no event at all, are said at their fields", async () => {
  const { backend } = bench();
  const there = new Webhooks(backend);
  const { user } = await renderApp(page, backend);
  await user.type(await screen.findByLabelText("Address"), "ci.example.org");
  await user.click(screen.getByLabelText("A run succeeds"));
  await user.click(screen.getByLabelText("A run fails"));
  await user.click(screen.getByRole("button", { name: "Add webhook" }));

  expect(await screen.findByText("Say who listens there.")).toBeVisible();
  expect(screen.getByText("The address begins with https:// or http://.")).toBeVisible();
  expect(screen.getByText("Choose at least one event.")).toBeVisible();
  expect(there.webhooks).toEqual([]);
});

test("a test says why it did not arrive", async () => {
  const { there, user } = await withOne();
  there.accepts = false;
  await user.click(await screen.findByRole("button", { name: "Send a test" }));
  expect(await screen.findByText("The address is not public")).toBeVisible();
});

test("a delivery is looked at and sent again", async () => {
  const { there, user } = await withOne();
  await user.click(await screen.findByRole("button", { name: "Send a test" }));
  await user.click(screen.getByRole("button", { name: "Show deliveries" }));
  const log = await screen.findByRole("table", { name: "Deliveries of CI" });
  expect(await within(log).findByText("Answered 204")).toBeVisible();
  await user.click(screen.getByRole("combobox", { name: "Which deliveries" }));
  await user.click(await screen.findByRole("option", { name: "Given up" }));
  expect(await screen.findByText("Nothing is in this state")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Show all" }));
  await user.click(await screen.findByRole("button", { name: "Details" }));
  expect(await screen.findByText(/"type": "webhook.test"/)).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Send again" }));
  await waitFor(() => expect(there.deliveries[0]?.state).toBe("pending"));
});

test("a webhook is paused, goes on, is changed, gets another secret and is deleted", async () => {
  const { there, user } = await withOne();
  const [webhook] = there.webhooks;
  await user.click(await screen.findByRole("button", { name: "Pause" }));
  expect(await screen.findByText("Paused")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Go on" }));
  await waitFor(() => expect(webhook?.state).toBe("active"));

  await user.click(screen.getByRole("button", { name: "Edit" }));
  const panel = screen.getByRole("region", { name: "CI" });
  await user.clear(within(panel).getByLabelText("Name"));
  await user.type(within(panel).getByLabelText("Name"), "Chat");
  await user.click(within(panel).getByRole("button", { name: "Save" }));
  expect(await screen.findByRole("region", { name: "Chat" })).toBeVisible();

  await user.click(screen.getByRole("button", { name: "New secret" }));
  await user.click(screen.getByRole("combobox", { name: "The old one goes on signing" }));
  await user.click(await screen.findByRole("option", { name: "no more: it is known to others" }));
  await user.click(screen.getByRole("button", { name: "New secret" }));
  expect(await screen.findByText("whsec_c2Vjb25k")).toBeVisible();
  expect(there.graceSec).toBe(0);

  await user.click(screen.getByRole("button", { name: "Delete" }));
  await user.click(await screen.findByRole("button", { name: "Delete" }));
  await waitFor(() => expect(there.webhooks).toEqual([]));
});

test("one that fails says since when", async () => {
  const { backend, project } = bench();
  const there = new Webhooks(backend);
  there.webhooks.push({
    id: "019ac0d0-0000-7000-8000-000000000001",
    project_id: project.id,
    name: "CI",
    url: "https://ci.example.org/hook",
    event_types: ["run.failed"],
    state: "paused",
    pause_reason: "failing",
    failing_since: "2026-11-20T08:00:00.000000Z",
    previous_secret_until: null,
    created_by: project.id,
    created_at: "2026-11-19T08:00:00.000000Z",
    updated_at: "2026-11-23T08:00:00.000000Z",
    version: 2,
  });
  await renderApp(page, backend);
  expect(await screen.findByText("Paused: no call was accepted for days")).toBeVisible();
  expect(screen.getByText(/Failing since/)).toBeVisible();
});

test("a limit on a metric is set and forgotten", async () => {
  const { backend } = bench();
  const there = new Webhooks(backend);
  const { user } = await renderApp(page, backend);
  const limits = await screen.findByRole("region", { name: "Limits on metrics" });
  await user.click(within(limits).getByRole("button", { name: "Set limit" }));
  expect(await within(limits).findByText("Name the metric.")).toBeVisible();
  expect(within(limits).getByText("A limit is a number.")).toBeVisible();
  await user.type(within(limits).getByLabelText("Metric"), "loss");
  await user.type(within(limits).getByLabelText("Limit"), "-1.5e2");
  await user.click(within(limits).getByRole("button", { name: "Set limit" }));
  expect(await within(limits).findByText(/loss > -150/)).toBeVisible();
  expect(there.watches[0]).toMatchObject({ key: "loss", direction: "above", threshold: -150 });
  await user.click(within(limits).getByRole("button", { name: "Forget loss > -150" }));
  await waitFor(() => expect(there.watches).toEqual([]));
});
