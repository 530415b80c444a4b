import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import axe from "axe-core";
import { beforeEach, expect, test, vi } from "vitest";
import { problem } from "@/testing/backend";
import { bench } from "@/testing/bench";
import { installEventSource } from "@/testing/event-source";
import { Files } from "@/testing/files";
import { installLayout } from "@/testing/layout";
import { renderApp } from "@/testing/render";
import { Recordings } from "@/testing/runs";

beforeEach(() => {
  installLayout();
  installEventSource();
  URL.createObjectURL = () => "blob:made";
  URL.revokeObjectURL = () => undefined;
});

function kept(files: Record<string, string> = {}) {
  const { backend, boris, project } = bench();
  const recordings = new Recordings(backend, project.id);
  const run = recordings.addRun(recordings.addExperiment("Digits"), "owl");
  const store = new Files(backend, files);
  const page = `/p/motor-bench/r/${run.id}?tab=artifacts`;
  return { backend, boris, store, run, page };
}

function item(name: string | RegExp): HTMLElement {
  return screen.getByRole("treeitem", { name });
}

const samples = {
  "config.json": '{"lr": 0.1, "layers": [1, 2, 3]}',
  "models/best/weights.bin": "\0\0\0",
  "models/notes.md": "# Kept\n\n<img src=x onerror=alert(1)>",
  "page.html": "<script>top.stolen = 1</script><p>hello</p>",
  "picture.svg": "<svg xmlns='http://www.w3.org/2000/svg'><script>top.stolen = 1</script></svg>",
  "table.csv": 'name,loss\n"a, b",0.5\nc,0.25\n',
};

test("a run without files says how to keep some", async () => {
  const { backend, page } = kept();
  await renderApp(page, backend);
  expect(await screen.findByText("No files yet")).toBeInTheDocument();
  expect(screen.getByText(/run\.log_artifact/)).toBeInTheDocument();
});

test("folders open by keys, and a file is shown beside them", async () => {
  const { backend, page } = kept(samples);
  const { user, where } = await renderApp(page, backend);
  const tree = await screen.findByRole("tree", { name: "Files" });
  await waitFor(() => expect(item(/config\.json/)).toBeInTheDocument());
  tree.focus();
  await user.keyboard("{ArrowDown}{ArrowRight}");
  await waitFor(() => expect(item(/notes\.md/)).toHaveAttribute("aria-level", "2"));
  expect(item(/^models/)).toHaveAttribute("aria-expanded", "true");
  await user.keyboard("{ArrowDown}{ArrowRight}{ArrowDown}{Enter}");
  await waitFor(() => expect(where()).toContain("file=models%2Fbest%2Fweights.bin"));
  expect(await screen.findByRole("heading", { name: "weights.bin" })).toBeInTheDocument();
  expect(screen.getByText(/^No preview, because the portal knows no way/)).toBeInTheDocument();
  await user.keyboard("{ArrowLeft}{ArrowLeft}");
  await waitFor(() => expect(screen.queryByRole("treeitem", { name: /weights/ })).toBeNull());
});

test("an address leads to a file deep in its folders, with what is known of it", async () => {
  const { backend, store, run, page } = kept(samples);
  await renderApp(`${page}&file=models%2Fbest%2Fweights.bin`, backend);
  expect(await screen.findByRole("heading", { name: "weights.bin" })).toBeInTheDocument();
  const { sha256 } = store.entry("models/best/weights.bin");
  expect(screen.getByTitle(sha256 ?? "")).toBeInTheDocument();
  expect(screen.getByRole("button", { name: "Copy the SHA-256" })).toBeInTheDocument();
  const link = screen.getByRole("link", { name: "Download" });
  expect(link).toHaveAttribute("download", "weights.bin");
  expect(link.getAttribute("href")).toMatch(
    new RegExp(`/api/v1/runs/${run.id}/artifacts/models/best/weights\\.bin$`),
  );
});

test("a table is shown as one, JSON as a tree and as text", async () => {
  const { backend, page } = kept(samples);
  const { user } = await renderApp(`${page}&file=table.csv`, backend);
  const table = await screen.findByRole("table", { name: "table.csv" });
  expect(within(table).getAllByRole("columnheader")).toHaveLength(2);
  expect(within(table).getByRole("cell", { name: "a, b" })).toBeInTheDocument();
  expect(screen.getByText("All 2 rows are shown.")).toBeInTheDocument();
  await user.click(item(/config\.json/));
  expect(await screen.findByText("lr:")).toBeInTheDocument();
  expect(screen.getByText("[3]")).toBeInTheDocument();
  await user.click(screen.getByRole("radio", { name: "Text" }));
  expect(await screen.findByText(/"lr": 0\.1/)).toBeInTheDocument();
});

test("a page is framed without scripts or an origin, a drawing is an image, Markdown is cleaned", async () => {
  const { backend, page } = kept(samples);
  const { user } = await renderApp(`${page}&file=page.html`, backend);
  await waitFor(() => expect(document.querySelector("iframe")).toBeInTheDocument());
  const frame = document.querySelector("iframe");
  expect(frame).toHaveAttribute("sandbox", "");
  expect(frame?.getAttribute("srcdoc")).toMatch(/^<!doctype html><meta http-equiv="Content-Sec/);
  await user.click(item(/picture\.svg/));
  const image = await screen.findByRole("img", { name: "picture.svg" });
  expect(image.tagName).toBe("IMG");
  expect(document.querySelector("svg script")).toBeNull();
  await user.click(item(/^models/));
  await user.click(await screen.findByRole("treeitem", { name: /notes\.md/ }));
  expect(await screen.findByRole("heading", { name: "Kept" })).toBeInTheDocument();
  expect(document.querySelector("[onerror]")).toBeNull();
});

test("of a large text only the beginning is fetched", async () => {
  const { backend, store, page } = kept({ "out.log": "x".repeat(600 * 1024) });
  await renderApp(`${page}&file=out.log`, backend);
  expect(await screen.findByText(/^The first 524 kB of 614 kB/)).toBeInTheDocument();
  expect(store.ranges).toEqual(["bytes=0-524287"]);
});

test("files are uploaded into the chosen folder, and one that is there is asked about", async () => {
  const { backend, store, page } = kept(samples);
  const { user } = await renderApp(`${page}&file=models`, backend);
  await screen.findByText("Drop files or folders here to put them into models.");
  await user.upload(screen.getByLabelText("Files to upload"), [
    new File(["new"], "fresh.txt"),
    new File(["other"], "notes.md"),
  ]);
  await waitFor(() => expect(store.stored.get("models/fresh.txt")).toBe("new"));
  const ask = await screen.findByRole("group", { name: "Replace files?" });
  expect(store.stored.get("models/notes.md")).toBe(samples["models/notes.md"]);
  await user.click(within(ask).getByRole("button", { name: "Replace" }));
  await waitFor(() => expect(store.stored.get("models/notes.md")).toBe("other"));
  expect(await screen.findByText("2 of 2 files are stored")).toBeInTheDocument();
  expect(await screen.findByRole("treeitem", { name: /fresh\.txt/ })).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Clear the list" }));
  await waitFor(() => expect(screen.queryByText(/files are stored/)).toBeNull());
});

test("a dropped folder keeps its structure", async () => {
  const { backend, store, page } = kept();
  await renderApp(page, backend);
  await screen.findByText("No files yet");
  const file = (name: string, content: string) => ({
    isFile: true,
    name,
    file: (done: (one: File) => void) => done(new File([content], name)),
  });
  const folder = (name: string, inside: object[]) => ({
    isFile: false,
    name,
    createReader: () => ({
      readEntries: (done: (some: object[]) => void) => done(inside.splice(0, 1)),
    }),
  });
  const dropped = folder("data", [file("a.csv", "x"), folder("deep", [file("b.csv", "y")])]);
  const items = [{ kind: "file", webkitGetAsEntry: () => dropped, getAsFile: () => null }];
  fireEvent.drop(screen.getByRole("region", { name: "Files of the run" }), {
    dataTransfer: { types: ["Files"], items },
  });
  await waitFor(() =>
    expect([...store.stored]).toEqual([
      ["data/a.csv", "x"],
      ["data/deep/b.csv", "y"],
    ]),
  );
});

test("an upload that fails says why and is tried again", async () => {
  const { backend, store, page } = kept();
  store.refusal = () => problem(507, "store-full", { detail: "No space is left." });
  const { user } = await renderApp(page, backend);
  await screen.findByText("No files yet");
  await user.upload(screen.getByLabelText("Files to upload"), new File(["new"], "a.txt"));
  const again = await screen.findByRole("button", { name: "Try a.txt again" });
  store.refusal = null;
  await user.click(again);
  await waitFor(() => expect(store.stored.get("a.txt")).toBe("new"));
});

test("a file is deleted after a question", async () => {
  const { backend, store, page } = kept(samples);
  const { user } = await renderApp(`${page}&file=table.csv`, backend);
  await user.click(await screen.findByRole("button", { name: "Delete" }));
  await user.click(screen.getByRole("button", { name: "Cancel" }));
  expect(store.stored.has("table.csv")).toBe(true);
  await user.click(await screen.findByRole("button", { name: "Delete" }));
  await user.click(screen.getByRole("button", { name: "Delete" }));
  await waitFor(() => expect(store.stored.has("table.csv")).toBe(false));
  await waitFor(() => expect(screen.queryByRole("treeitem", { name: /table/ })).toBeNull());
});

test("an owner approves just this content, and takes it back", async () => {
  const { backend, store, page } = kept(samples);
  const { user } = await renderApp(`${page}&file=table.csv`, backend);
  await user.click(await screen.findByRole("button", { name: "Approve this content" }));
  await user.type(screen.getByLabelText("A note, if you like"), "checked against the rig");
  await user.click(screen.getByRole("button", { name: "Approve" }));
  expect(await screen.findByText(/checked against the rig/)).toBeInTheDocument();
  expect(store.approvals.get("table.csv")?.sha256).toBe(store.entry("table.csv").sha256);
  await waitFor(() => expect(item(/table\.csv\s*Approved/)).toBeInTheDocument());
  await user.click(screen.getByRole("button", { name: "Withdraw the approval" }));
  await user.click(screen.getByRole("button", { name: "Withdraw" }));
  await waitFor(() => expect(store.approvals.size).toBe(0));
  expect(await screen.findByRole("button", { name: "Approve this content" })).toBeInTheDocument();
});

test("a file is described, and what uses it is named", async () => {
  const { backend, store, run, page } = kept(samples);
  const of = { project_id: run.project_id, run_id: run.id, created_by: run.id };
  const common = { created_at: "2026-11-22T09:00:00.000000Z", role: "training" };
  store.uses.push({ ...of, ...common, sha256: store.entry("table.csv").sha256 ?? "" });
  store.inputs.push({
    ...of,
    ...common,
    artifact_id: run.id,
    path: "data/train.parquet",
    source_run_id: null,
    sha256: "ab".repeat(32),
    size: 12,
    current: false,
  });
  const { user } = await renderApp(`${page}&file=table.csv`, backend);
  await user.click(await screen.findByRole("button", { name: "Describe it" }));
  await user.type(screen.getByLabelText("Description"), "Losses by name");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(store.descriptions.get("table.csv")).toBe("Losses by name"));
  expect(await screen.findByText("Losses by name")).toBeInTheDocument();
  expect(await screen.findByRole("link", { name: "owl" })).toBeInTheDocument();
  const inputs = await screen.findByRole("table", { name: "Inputs" });
  expect(within(inputs).getByText("data/train.parquet")).toBeInTheDocument();
  expect(within(inputs).getByText(/another content now/)).toBeInTheDocument();
});

test("a table that the server reads is leafed through", async () => {
  const { backend, store, page } = kept({ ...samples, "rows.parquet": "PAR1" });
  const rows = Array.from({ length: 250 }, (_, n) => [n, n * n]);
  store.tables.set("rows.parquet", { columns: ["n", "square"], rows });
  const { user } = await renderApp(`${page}&file=rows.parquet`, backend);
  expect(await screen.findByText("Rows 1 to 100 of 250.")).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Further rows" }));
  await user.click(await screen.findByRole("button", { name: "Further rows" }));
  expect(await screen.findByText("Rows 201 to 250 of 250.")).toBeInTheDocument();
  expect(screen.getByRole("cell", { name: "62001" })).toBeInTheDocument();
  expect(screen.getByRole("button", { name: "Further rows" })).toBeDisabled();
});

test("folders and all files are offered as a zip", async () => {
  const { backend, run, page } = kept(samples);
  await renderApp(`${page}&file=models`, backend);
  const folder = await screen.findByRole("link", { name: "Download as zip" });
  expect(folder.getAttribute("href")).toMatch(
    new RegExp(`/api/v1/runs/${run.id}/artifact-archive\\?prefix=models$`),
  );
  const all = screen.getByRole("link", { name: "All as zip" });
  expect(all.getAttribute("href")).toMatch(/artifact-archive$/);
});

test("a large file goes in parts: one that breaks is sent again, and a retry goes on", async () => {
  const { backend, store, run, page } = kept();
  await renderApp(page, backend);
  const { sendInParts } = await import("@/features/artifacts/parts");
  const file = new File(["0123456789abcdefghijklmnopqrstuvwxyz"], "a.bin");
  const send = (signal = new AbortController().signal) =>
    sendInParts(run.id, "deep/a.bin", file, (bytes) => told.push(bytes), signal);
  const told: number[] = [];
  store.partAnswers.push(() => problem(503, "unavailable"));
  store.partAnswers.push(() => problem(507, "store-full"));
  await expect(send()).rejects.toThrow();
  expect(store.uploads.size).toBe(1);
  await send();
  expect(store.stored.get("deep/a.bin")).toBe("0123456789abcdefghijklmnopqrstuvwxyz");
  expect(told.at(-1)).toBe(36);
  expect(store.begun).toBe(1);

  const stop = new AbortController();
  store.partAnswers.push(() => {
    stop.abort();
    return problem(503, "unavailable");
  });
  await expect(send(stop.signal)).rejects.toThrow();
  await waitFor(() => expect(store.uploads.size).toBe(0));
});

test("what the server is long in joining, or answers to nobody, is asked for again", async () => {
  const { backend, store, run, page } = kept();
  await renderApp(page, backend);
  const { sendInParts } = await import("@/features/artifacts/parts");
  store.joinAnswers.push(() => Response.error());
  // More often than a fault is borne: it is no fault.
  for (let times = 0; times < 5; times += 1) {
    store.joinAnswers.push(() => problem(503, "upload-joining"));
  }
  const file = new File(["0123456789"], "a.bin");
  await sendInParts(run.id, "a.bin", file, () => undefined, new AbortController().signal);
  expect(store.stored.get("a.bin")).toBe("0123456789");
  expect(store.begun).toBe(1);
});

test("an upload that is stopped while it is being begun leaves nothing behind", async () => {
  const { backend, store, run, page } = kept();
  await renderApp(page, backend);
  const { sendInParts } = await import("@/features/artifacts/parts");
  const stop = new AbortController();
  const sent = sendInParts(
    run.id,
    "a.bin",
    new File(["0123"], "a.bin"),
    () => undefined,
    stop.signal,
  );
  stop.abort();
  await expect(sent).rejects.toThrow("stopped");
  expect(store.begun).toBe(1);
  await waitFor(() => expect(store.uploads.size).toBe(0));
});

test("whoever only reads is offered no changes", async () => {
  const { backend, boris, page } = kept(samples);
  const member = backend.projects[0]?.members.find(({ user_id }) => user_id === boris.id);
  if (member) member.role = "viewer";
  backend.user = boris;
  await renderApp(`${page}&file=table.csv`, backend);
  expect(await screen.findByRole("link", { name: "Download" })).toBeInTheDocument();
  expect(screen.queryByRole("button", { name: "Delete" })).toBeNull();
  expect(screen.queryByRole("button", { name: "Upload files" })).toBeNull();
  expect(screen.queryByRole("button", { name: "Approve this content" })).toBeNull();
  expect(screen.queryByRole("button", { name: "Describe it" })).toBeNull();
});

test("ten thousand files come page by page, and few of them are in the page", async () => {
  const { backend, store, page } = kept(
    Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`f${10_000 + n}.txt`, "x"])),
  );
  store.pageSize = 500;
  const { user } = await renderApp(page, backend);
  const tree = await screen.findByRole("tree");
  await waitFor(() => expect(item(/f10000/)).toBeInTheDocument());
  expect(store.listed).toHaveLength(1);
  expect(screen.getAllByRole("treeitem").length).toBeLessThan(60);
  tree.focus();
  await user.keyboard("{End}");
  await waitFor(() => expect(store.listed.length).toBeGreaterThan(1));
  expect(store.listed[1]?.get("cursor")).toBe("500");
});

test.for(["en", "ru"] as const)("axe finds nothing on the files (%s)", async (language) => {
  for (const file of ["", "&file=table.csv", "&file=config.json", "&file=models"]) {
    const { backend, page } = kept(samples);
    await renderApp(page + file, backend, { language });
    await screen.findByRole("tree");
    await waitFor(() => expect(document.querySelector('[aria-busy="true"]')).toBeNull());
    const rules = { "color-contrast": { enabled: false } };
    const { violations } = await axe.run(document.body, { rules });
    const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    expect(grave.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
    document.body.replaceChildren();
  }
  vi.restoreAllMocks();
});
