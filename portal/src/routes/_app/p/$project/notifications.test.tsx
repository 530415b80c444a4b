import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { page as pageOf } from "@/testing/backend";
import { bench } from "@/testing/bench";
import { Notifications } from "@/testing/notifications";
import { renderApp } from "@/testing/render";

const page = "/p/motor-bench/notifications";

function ready() {
  const { backend, ada } = bench();
  backend.on("GET /api/v1/projects/{}/experiments", () =>
    pageOf([{ id: "019ac0d0-0000-7000-8000-000000000009", name: "digits" }]),
  );
  backend.on("GET /api/v1/projects/{}/metric-watches", () => pageOf([]));
  return { backend, ada, there: new Notifications(backend) };
}

test("one chooses what to be told of, pauses it and deletes it", async () => {
  const { backend, there } = ready();
  const { user } = await renderApp(page, backend);
  expect(await screen.findByText("You are told of nothing yet")).toBeVisible();
  await user.click(screen.getByLabelText("A sensor is offline"));
  await user.type(screen.getByLabelText("Only where the name has in it"), "lr");
  await user.click(screen.getByRole("button", { name: "Tell me" }));
  const rule = await screen.findByRole("group", {
    name: "A run fails · A run is interrupted · A sensor is offline",
  });
  expect(there.rules[0]).toMatchObject({
    event_types: ["run.failed", "run.interrupted", "sensor.offline"],
    only_mine: true,
    experiment_id: null,
    name_part: "lr",
    language: "en",
  });
  expect(rule).toHaveTextContent("Only: my own runs, names with “lr” in them");
  await user.click(within(rule).getByRole("button", { name: "Pause" }));
  expect(await within(rule).findByText("Paused")).toBeVisible();
  await user.click(within(rule).getByRole("button", { name: "Delete" }));
  await user.click(await screen.findByRole("button", { name: "Delete" }));
  await waitFor(() => expect(there.rules).toEqual([]));
});

test("what one is told of is changed", async () => {
  const { backend, there } = ready();
  const { user } = await renderApp(page, backend);
  await user.click(await screen.findByRole("button", { name: "Tell me" }));
  await user.click(await screen.findByRole("button", { name: "Edit" }));
  const rule = screen.getByRole("group", { name: "A run fails · A run is interrupted" });
  await user.click(within(rule).getByLabelText("A run is interrupted"));
  await user.click(within(rule).getByLabelText("Of runs, only those that I made"));
  await user.type(within(rule).getByLabelText("Only where the name has in it"), "lr");
  const language = within(rule).getByRole("combobox", { name: "Language of the mail" });
  await user.click(language);
  const languages = document.getElementById(language.getAttribute("aria-controls") ?? "");
  await user.click(within(languages as HTMLElement).getByRole("option", { name: "Русский" }));
  await user.click(within(rule).getByRole("button", { name: "Save" }));
  const changed = await screen.findByRole("group", { name: "A run fails" });
  expect(changed).toHaveTextContent("Only: names with “lr” in them");
  expect(there.rules).toMatchObject([
    { event_types: ["run.failed"], only_mine: false, name_part: "lr", language: "ru" },
  ]);
});

test("a change that somebody else was quicker with is refused, and nothing typed is lost", async () => {
  const { backend, there } = ready();
  const { user } = await renderApp(page, backend);
  await user.click(await screen.findByRole("button", { name: "Tell me" }));
  await user.click(await screen.findByRole("button", { name: "Edit" }));
  const [kept] = there.rules;
  if (kept) kept.version = 2;
  const rule = screen.getByRole("group", { name: "A run fails · A run is interrupted" });
  await user.type(within(rule).getByLabelText("Only where the name has in it"), "lr");
  await user.click(within(rule).getByRole("button", { name: "Save" }));
  expect(await screen.findByText(/Somebody else changed this meanwhile/)).toBeVisible();
  expect(within(rule).getByLabelText("Only where the name has in it")).toHaveValue("lr");
  expect(kept?.name_part).toBeNull();
});

test("no event at all is said at its field", async () => {
  const { backend, there } = ready();
  const { user } = await renderApp(page, backend);
  await user.click(await screen.findByLabelText("A run fails"));
  await user.click(screen.getByLabelText("A run is interrupted"));
  await user.click(screen.getByRole("button", { name: "Tell me" }));
  expect(await screen.findByText("Choose at least one event.")).toBeVisible();
  expect(there.rules).toEqual([]);
});

test("a test mail says whether it went, and the log keeps it", async () => {
  const { backend, ada, there } = ready();
  const { user } = await renderApp(page, backend);
  expect(await screen.findByText(ada.email)).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Send me a test mail" }));
  expect(await screen.findByText("The test mail is on its way")).toBeVisible();
  there.failure = "no-connection";
  await user.click(screen.getByRole("button", { name: "Send me a test mail" }));
  expect(await screen.findByText("the mail server does not answer")).toBeVisible();
  const log = await screen.findByRole("table", { name: "What you were told of" });
  expect(await within(log).findByText("Given up: the mail server does not answer")).toBeVisible();
});

test("without a mail server it is said plainly", async () => {
  const { backend, there } = ready();
  there.isSetUp = false;
  await renderApp(page, backend);
  expect(await screen.findByText("Mail is not set up here")).toBeVisible();
  expect(screen.queryByRole("button", { name: "Send me a test mail" })).toBeNull();
});
