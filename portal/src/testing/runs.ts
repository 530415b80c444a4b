/** Experiments, runs and metrics for the backend in memory. */

import type { Experiment } from "@/api/generated/models/experiment";
import type { Run } from "@/api/generated/models/run";
import { type Backend, newId, page, problem } from "@/testing/backend";
import { filtered, ordered, registerSearch, type StoredView } from "@/testing/search";

type Point = readonly [step: number, value: number | "NaN" | "Infinity" | "-Infinity"];

export class Recordings {
  readonly experiments: Experiment[] = [];
  readonly runs: Run[] = [];
  /** By run, then by key. */
  readonly series = new Map<string, Map<string, Point[]>>();
  /** The query of every request for a list of runs. */
  readonly asked: URLSearchParams[] = [];
  readonly views: StoredView[] = [];
  readonly askedSeries: URLSearchParams[] = [];
  readonly askedBuckets: URLSearchParams[] = [];
  ordinal = 1;

  constructor(
    private readonly backend: Backend,
    private readonly projectId: string,
  ) {
    this.registerExperiments();
    this.registerRuns();
    this.registerMetrics();
    registerSearch(backend, () => this.runs, this.views);
  }

  addExperiment(name: string, change: Partial<Experiment> = {}): Experiment {
    const experiment: Experiment = {
      id: newId(),
      project_id: this.projectId,
      name,
      description: "",
      type: null,
      tags: {},
      metadata: {},
      status: "draft",
      run_count: 0,
      running_count: 0,
      last_run_at: null,
      version: 1,
      created_by: newId(),
      created_at: "2026-11-20T08:00:00.000000Z",
      updated_at: "2026-11-20T08:00:00.000000Z",
      started_at: null,
      finished_at: null,
      archived_at: null,
      ...change,
    };
    this.experiments.push(experiment);
    return experiment;
  }

  addRun(experiment: Experiment, name: string, change: Partial<Run> = {}): Run {
    const run: Run = {
      id: newId(),
      project_id: this.projectId,
      experiment_id: experiment.id,
      experiment_name: experiment.name,
      name,
      status: "succeeded",
      params: {},
      tags: {},
      notes: "",
      git_commit: null,
      git_branch: null,
      git_dirty: null,
      environment: {},
      source: null,
      host: null,
      parent_run_id: null,
      child_count: 0,
      active_capture_session_id: null,
      auto_complete_minutes: null,
      created_by: newId(),
      created_at: "2026-11-22T09:00:00.000000Z",
      updated_at: "2026-11-22T09:00:00.000000Z",
      started_at: "2026-11-22T09:00:00.000000Z",
      finished_at: "2026-11-22T09:01:00.000000Z",
      duration_seconds: 60,
      last_heartbeat_at: null,
      archived_at: null,
      version: 1,
      metrics: {},
      ...change,
    };
    this.runs.unshift(run);
    return run;
  }

  log(run: Run, key: string, points: Point[]): void {
    const keys = this.series.get(run.id) ?? new Map<string, Point[]>();
    keys.set(key, [...(keys.get(key) ?? []), ...points]);
    this.series.set(run.id, keys);
  }

  private registerExperiments(): void {
    const { backend } = this;
    const find = (id = "") => this.experiments.find((one) => one.id === id);
    backend.on("GET /api/v1/projects/{}/experiments", ({ query }) => {
      const q = query.get("q")?.toLowerCase() ?? "";
      const archived = query.get("archived") === "true";
      return page(
        this.experiments.filter(
          (one) => one.name.toLowerCase().includes(q) && (one.archived_at !== null) === archived,
        ),
      );
    });
    backend.on("POST /api/v1/projects/{}/experiments", ({ body }) => {
      const name = String(body.name);
      if (this.experiments.some((one) => one.name === name)) {
        return problem(409, "experiment-name-taken", { detail: `“${name}” exists already.` });
      }
      return Response.json(this.addExperiment(name, body as Partial<Experiment>), { status: 201 });
    });
    backend.on("GET /api/v1/experiments/{}", ({ params: [id] }) => {
      const experiment = find(id);
      return experiment ? Response.json(experiment) : problem(404, "not-found");
    });
    backend.on("PATCH /api/v1/experiments/{}", ({ params: [id], body }) => {
      const experiment = find(id);
      if (!experiment) return problem(404, "not-found");
      Object.assign(experiment, body, { version: experiment.version + 1 });
      return Response.json(experiment);
    });
    for (const [step, at] of [
      ["archive", "2026-11-23T08:00:00.000000Z"],
      ["restore", null],
    ] as const) {
      backend.on(`POST /api/v1/experiments/{}/${step}`, ({ params: [id] }) => {
        const experiment = find(id);
        if (!experiment) return problem(404, "not-found");
        experiment.archived_at = at;
        return Response.json(experiment);
      });
    }
  }

  private registerRuns(): void {
    const { backend } = this;
    const find = (id = "") => this.runs.find((one) => one.id === id);
    backend.on("GET /api/v1/projects/{}/runs", ({ query }) => {
      this.asked.push(query);
      const archived = query.get("archived") ?? "false";
      const experiment = query.get("experiment_id");
      const parent = query.get("parent_run_id");
      const statuses = query.getAll("status");
      const q = query.get("q")?.toLowerCase() ?? "";
      const tagged = (run: Run) =>
        query.getAll("tag").every((tag) => {
          const [key = "", ...value] = tag.split("=");
          return value.length > 0 ? run.tags[key] === value.join("=") : key in run.tags;
        });
      const scoped = this.runs.filter(
        (run) =>
          (statuses.length === 0 || statuses.includes(run.status)) &&
          run.name.toLowerCase().includes(q) &&
          tagged(run) &&
          (archived === "all" || (run.archived_at !== null) === (archived === "true")) &&
          (!experiment || run.experiment_id === experiment) &&
          (!parent || run.parent_run_id === parent),
      );
      const found = filtered(scoped, query.get("filter"));
      if (found instanceof Response) return found;
      const orders = query.getAll("order_by");
      const all =
        orders.length > 0
          ? ordered(found, orders)
          : sorted(found, query.get("sort") ?? "-created_at");
      const from = Number(query.get("cursor") ?? 0);
      const limit = Number(query.get("limit") ?? 100);
      return Response.json({
        items: all.slice(from, from + limit),
        next_cursor: from + limit < all.length ? String(from + limit) : null,
      });
    });
    backend.on("GET /api/v1/runs/{}", ({ params: [id] }) => {
      const run = find(id);
      return run ? Response.json(run) : problem(404, "not-found");
    });
    backend.on("PATCH /api/v1/runs/{}", ({ params: [id], body, headers }) => {
      const run = find(id);
      if (!run) return problem(404, "not-found");
      const match = headers.get("If-Match");
      if (match && match !== `"${run.version}"`) return problem(412, "precondition-failed");
      Object.assign(run, body, { version: run.version + 1 });
      return Response.json(run);
    });
    for (const [step, at] of [
      ["archive", "2026-11-23T08:00:00.000000Z"],
      ["restore", null],
    ] as const) {
      backend.on(`POST /api/v1/runs/{}/${step}`, ({ params: [id] }) => {
        const run = find(id);
        if (!run) return problem(404, "not-found");
        run.archived_at = at;
        return Response.json(run);
      });
    }
    backend.on("POST /api/v1/projects/{}/runs/bulk-tag", ({ body }) => {
      const ids = body.run_ids as string[];
      for (const id of ids) Object.assign(find(id)?.tags ?? {}, body.set);
      return Response.json({ updated: ids.length });
    });
    backend.on("POST /api/v1/projects/{}/runs/bulk-status", ({ body }) => {
      const ids = body.run_ids as string[];
      const busy = ids.filter((id) => body.status === "archived" && find(id)?.status === "running");
      const updated = ids.filter((id) => !busy.includes(id));
      for (const run of this.runs.filter(({ id }) => updated.includes(id))) {
        if (body.status === "archived") run.archived_at = "2026-11-23T08:00:00.000000Z";
        else run.status = body.status as Run["status"];
      }
      const failed = busy.map((run_id) => ({
        run_id,
        type: "/problems/transition-not-allowed",
        detail: "A running run cannot be archived.",
      }));
      return Response.json({ updated, failed });
    });
  }

  private registerMetrics(): void {
    const { backend } = this;
    const time = (step: number) => 1_795_338_000_000_000 + step * 1_000_000;
    backend.on("GET /api/v1/runs/{}/metrics", ({ params: [id = ""] }) =>
      page(
        [...(this.series.get(id) ?? [])].map(([key, points]) => {
          const [first, last] = [points[0] ?? [0, 0], points.at(-1) ?? [0, 0]];
          const at = "2026-11-22T09:00:00.000000Z";
          return {
            key,
            count: points.length,
            first_step: first[0],
            first_value: first[1],
            first_time: at,
            last_step: last[0],
            last_value: last[1],
            last_time: at,
            min: 0,
            min_step: first[0],
            max: 1,
            max_step: last[0],
          };
        }),
      ),
    );
    backend.on("GET /api/v1/metrics/series", ({ query }) => {
      this.askedSeries.push(query);
      const axis = query.get("x") ?? "step";
      const series = query.getAll("run_id").flatMap((run_id) => {
        const keys = this.series.get(run_id);
        const origin = Math.min(...[...(keys?.values() ?? [])].flat().map(([step]) => time(step)));
        const place = (step: number) =>
          axis === "step" ? step : time(step) - (axis === "relative" ? origin : 0);
        const from = Number(query.get(`from_${axis}`) ?? Number.NEGATIVE_INFINITY);
        const to = Number(query.get(`to_${axis}`) ?? Number.POSITIVE_INFINITY);
        return query.getAll("key").map((key) => {
          const all = keys?.get(key) ?? [];
          const inside = all.filter(([step]) => place(step) >= from && place(step) <= to);
          const every = Math.ceil(inside.length / Number(query.get("points")));
          const shown = inside.filter((_, index) => index % every === 0);
          return {
            run_id,
            key,
            step: shown.map(([step]) => step),
            value: shown.map(([, value]) => value),
            time: shown.map(([step]) => time(step)),
            count: inside.length,
            exact: shown.length === inside.length,
            ordinal: this.ordinal,
            origin: Number.isFinite(origin) ? origin : null,
          };
        });
      });
      return Response.json({ series });
    });
    backend.on("GET /api/v1/metrics/buckets", ({ query }) => {
      this.askedBuckets.push(query);
      const keys = query.getAll("key");
      const chosen = query
        .getAll("run_id")
        .flatMap((run_id) =>
          keys.map((key) => ({ run_id, key, points: this.series.get(run_id)?.get(key) ?? [] })),
        );
      const steps = chosen.flatMap(({ points }) => points.map(([step]) => step));
      const low = Number(query.get("from_step") ?? Math.min(...steps));
      const high = Number(query.get("to_step") ?? Math.max(...steps));
      const width = Math.ceil((high - low + 1) / Number(query.get("intervals")));
      const series = chosen.map(({ run_id, key, points }) => {
        const inside = points.filter(([step]) => step >= low && step <= high);
        const buckets = [
          ...Map.groupBy(inside, ([step]) => low + Math.floor((step - low) / width) * width),
        ].map(([x, members]) => ({ x, values: members.map(([, value]) => Number(value)) }));
        return {
          run_id,
          key,
          x: buckets.map(({ x }) => x),
          count: buckets.map(({ values }) => values.length),
          min: buckets.map(({ values }) => Math.min(...values)),
          max: buckets.map(({ values }) => Math.max(...values)),
          mean: buckets.map(({ values }) => values.reduce((a, b) => a + b, 0) / values.length),
        };
      });
      return Response.json({ low, high, series });
    });
  }
}

function sorted(runs: Run[], sort: string): Run[] {
  const [key, way] = sort.startsWith("-") ? [sort.slice(1), -1] : [sort, 1];
  const value = (run: Run) =>
    key.startsWith("metrics.") ? Number(run.metrics[key.slice(8)]) : String(run[key as keyof Run]);
  return runs.toSorted((a, b) => (value(a) < value(b) ? -way : value(a) > value(b) ? way : 0));
}
