import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import type { AuditEvent } from "@/api/generated/models/auditEvent";
import { bench } from "@/testing/bench";
import { renderApp } from "@/testing/render";

const page = "/p/motor-bench/audit";
const run = "01a2196a-5c4e-790e-80be-d13e820ab193";
const ada = "01a2196a-5c4e-790e-80be-d13e820ab100";

function withEvents() {
  const { backend } = bench();
  const event = (changes: Partial<AuditEvent>): AuditEvent => ({
    id: crypto.randomUUID(),
    at: "2026-11-23T08:00:00.000000Z",
    action: "run.failed",
    actor_kind: "user",
    actor_id: ada,
    actor_name: "Ada",
    project_id: backend.projects[0]?.id ?? null,
    target_type: "run",
    target_id: run,
    address: "192.0.2.7",
    result: "success",
    details: { subject_name: "brave-otter", data: { reason: "out of memory" } },
    trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
    chain_number: 7,
    hash: "0".repeat(64),
    ...changes,
  });
  backend.audit.push(
    event({}),
    event({ action: "member.set", actor_name: "Eve", target_type: "user", target_id: null }),
  );
  return backend;
}

test("what was noted unfolds, with a link to what it was done to", async () => {
  const { user } = await renderApp(page, withEvents());
  const name = await screen.findByText(/brave-otter/, { selector: "summary" });
  const row = within(name.closest("tr") as HTMLElement);
  await user.click(row.getByText("run"));
  const link = row.getByRole("link", { name: "Open this run" });
  expect(link).toHaveAttribute("href", `/p/motor-bench/r/${run}`);
  expect(row.getByText(/out of memory/)).toBeVisible();
  expect(row.getByText("4bf92f3577b34da6a3ce929d0e0e4736")).toBeVisible();
});

test("what a row is about has its page: a file that of its run, and a person none", async () => {
  const backend = withEvents();
  const [first] = backend.audit;
  if (!first) throw new Error("There is nothing in the audit.");
  const data = { holder: "run", holder_id: run };
  backend.audit.push({
    ...first,
    id: crypto.randomUUID(),
    action: "artifact.stored",
    target_type: "artifact",
    target_id: ada,
    details: { subject_name: "data/loss.csv", data },
  });
  const { user } = await renderApp(page, backend);
  await user.click(await screen.findByText("file"));
  const link = screen.getByRole("link", { name: "Open this file" });
  expect(link).toHaveAttribute("href", expect.stringContaining(`/p/motor-bench/r/${run}?`));
  expect(link).toHaveAttribute("href", expect.stringContaining("file=data%2Floss.csv"));
  expect(screen.getByText("File stored", { selector: "span[title]" })).toBeVisible();
  expect(screen.queryByRole("link", { name: "Open this person" })).toBeNull();
});

test("an administrator opens what is in a project that they are a member of", async () => {
  const backend = withEvents();
  const [first] = backend.audit;
  if (!first || !backend.user) throw new Error("There is nothing in the audit.");
  backend.user.is_admin = true;
  backend.audit.push({ ...first, id: crypto.randomUUID(), project_id: ada });
  const { user } = await renderApp("/admin/audit", backend);
  for (const row of await screen.findAllByText("run")) await user.click(row);
  const links = await screen.findAllByRole("link", { name: "Open this run" });
  expect(links.map((link) => link.getAttribute("href"))).toEqual([`/p/motor-bench/r/${run}`]);
});

test("filters stand in the address, and are taken away there", async () => {
  const { user, where } = await renderApp(page, withEvents());
  const name = await screen.findByText(/brave-otter/, { selector: "summary" });
  const row = within(name.closest("tr") as HTMLElement);
  await user.click(row.getByText("run"));
  await user.click(row.getByRole("button", { name: "All about this run" }));
  expect(await screen.findByText(`To ${run}`)).toBeVisible();
  expect(where()).toBe(`${page}?target=${run}`);
  await waitFor(() => expect(screen.queryByText("Eve")).toBeNull());
  await user.type(screen.getByLabelText("Text in the audit"), "no such thing{Enter}");
  expect(await screen.findByText("Nothing fits the filters")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Show everything" }));
  expect(await screen.findByText("Eve")).toBeVisible();
  expect(where()).toBe(page);
});

test("what is shown is taken as a file", async () => {
  const { user } = await renderApp(`${page}?action=run.`, withEvents());
  await screen.findByText(/brave-otter/, { selector: "summary" });
  await user.click(screen.getByRole("button", { name: "Export" }));
  const file = await screen.findByRole("menuitem", { name: "CSV, for spreadsheets" });
  expect(file.getAttribute("href")).toMatch(/\/audit\/export\?action=run\.&format=csv$/);
});
