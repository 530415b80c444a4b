/** The run search endpoints. */

import type { ListRunsParams } from "@/api/generated/models/listRunsParams";
import type { PageRun } from "@/api/generated/models/pageRun";
import { idempotent, request } from "@/api/http";

export type RunsAsked = ListRunsParams & { filter?: string; order_by?: string[] };

export type FieldKind = "attribute" | "param" | "metric" | "tag" | "dataset";
export type RunField = { kind: FieldKind; key: string; type: string };
export type FieldValue = { value: string | number | boolean; count: number };

const inProject = (projectId: string) => `/api/v1/projects/${projectId}`;

type Param = string | number | readonly string[] | null | undefined;

function address(path: string, params: Record<string, Param>): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null && one !== "") query.append(key, String(one));
    }
  }
  return query.size > 0 ? `${path}?${query}` : path;
}

export const fieldsPath = (projectId: string) => `${inProject(projectId)}/runs/fields`;
export const groupsPath = (projectId: string) => `${inProject(projectId)}/runs/groups`;
export const viewsPath = (projectId: string) => `${inProject(projectId)}/views`;
export const viewPath = (viewId: string) => `/api/v1/views/${viewId}`;

export function listRuns(projectId: string, asked: RunsAsked, init?: RequestInit) {
  return request<PageRun>(address(`${inProject(projectId)}/runs`, asked), init);
}

export type FieldsAsked = {
  kind?: FieldKind;
  q?: string;
  experiment_id?: string;
  limit?: number;
};

export function listFields(projectId: string, params: FieldsAsked, init?: RequestInit) {
  return request<{ items: RunField[] }>(address(fieldsPath(projectId), params), init);
}

export function listFieldValues(
  projectId: string,
  params: { field: string; q?: string; experiment_id?: string; limit?: number },
  init?: RequestInit,
) {
  return request<{ items: FieldValue[] }>(address(`${fieldsPath(projectId)}/values`, params), init);
}

export type MetricOfGroup = {
  count: number;
  mean: number | null;
  std: number | null;
  min: number | null;
  max: number | null;
};

export type RunGroup = {
  /** One for each field that is grouped by; null where the runs have none. */
  values: (string | number | boolean | null)[];
  count: number;
  /** At most 100 of the members. */
  run_ids: string[];
  metrics: Record<string, MetricOfGroup>;
};

export type GroupsAsked = {
  filter?: string;
  by: string[];
  metrics: string[];
  experiment_ids?: string[];
  archived?: string;
  limit?: number;
};

export function groupRuns(projectId: string, asked: GroupsAsked, init?: RequestInit) {
  return request<{ items: RunGroup[] }>(groupsPath(projectId), {
    ...init,
    method: "POST",
    body: JSON.stringify(asked),
  });
}

export type Visibility = "personal" | "shared";

export type View = {
  id: string;
  name: string;
  kind: string;
  visibility: Visibility;
  state: Record<string, unknown>;
  is_default: boolean;
  created_by: string;
  version: number;
};

export type ViewChange = Partial<Pick<View, "name" | "visibility" | "state" | "is_default">>;

export function listViews(projectId: string, init?: RequestInit) {
  return request<{ items: View[] }>(address(viewsPath(projectId), { limit: 200 }), init);
}

export function getView(viewId: string, init?: RequestInit) {
  return request<View>(viewPath(viewId), init);
}

export function createView(projectId: string, view: ViewChange & { name: string; kind: "runs" }) {
  return request<View>(viewsPath(projectId), {
    ...idempotent(),
    method: "POST",
    body: JSON.stringify(view),
  });
}

export function changeView(viewId: string, change: ViewChange) {
  return request<View>(viewPath(viewId), { method: "PATCH", body: JSON.stringify(change) });
}

export function deleteView(viewId: string) {
  return request<void>(viewPath(viewId), { method: "DELETE" });
}
