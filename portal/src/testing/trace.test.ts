import { HttpResponse, http } from "msw";
import { expect, test } from "vitest";
import { request } from "@/api/http";
import { isProblem } from "@/api/problem";
import { server } from "@/testing/server";

test("every request begins a trace of its own, and names it where no server could", async () => {
  const seen: string[] = [];
  server.use(
    http.get("*/api/v1/nothing", ({ request: asked }) => {
      seen.push(asked.headers.get("traceparent") ?? "");
      return new HttpResponse("<h1>Bad gateway</h1>", { status: 502 });
    }),
  );

  const errors = [];
  for (const _ of [1, 2]) errors.push(await request("/api/v1/nothing").catch((error) => error));

  expect(new Set(seen).size).toBe(2);
  for (const [index, header] of seen.entries()) {
    expect(header).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    const error = errors[index];
    expect(isProblem(error) && error.traceId).toBe(header.slice(3, 35));
  }
});
