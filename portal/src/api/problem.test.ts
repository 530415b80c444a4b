import { expect, test } from "vitest";
import { Problem, problemFrom } from "@/api/problem";

test("a problem carries its code, trace and the fields it names", async () => {
  const body = {
    type: "/problems/invalid",
    title: "Invalid",
    status: 422,
    errors: [
      { pointer: "#/name", detail: "too long" },
      { pointer: "#/tags/0", detail: "no" },
      { parameter: "limit", detail: "at most 1000" },
    ],
    trace_id: "abc",
  };
  const problem = await problemFrom(Response.json(body, { status: 422 }), "begun-here");
  expect(problem).toBeInstanceOf(Problem);
  expect(problem.code).toBe("invalid");
  expect(problem.traceId).toBe("abc");
  expect(problem.fields).toEqual({ name: "too long", tags: "no", limit: "at most 1000" });
});

test("an answer of a proxy in HTML is still a problem with a trace", async () => {
  const response = new Response("<h1>502</h1>", {
    status: 502,
    headers: { "Retry-After": "3" },
  });
  const problem = await problemFrom(response, "begun-here");
  expect(problem.status).toBe(502);
  expect(problem.traceId).toBe("begun-here");
  expect(problem.retryAfter).toBe(3);
});
