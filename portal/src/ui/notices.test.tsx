import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { Problem } from "@/api/problem";
import { Backend } from "@/testing/backend";
import { renderApp } from "@/testing/render";
import { announceFailure } from "@/ui/notices";

test("a notice of a failure names its trace and copies it", async () => {
  const { user } = await renderApp("/login", new Backend());
  announceFailure("The run was not archived", new Problem({ status: 500, trace_id: "abc123" }));

  expect(await screen.findByText("abc123")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Copy the trace id" }));

  expect(await navigator.clipboard.readText()).toBe("abc123");
});
