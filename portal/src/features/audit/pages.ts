/** Where the things have their page that an audit row is about. */

import type { LinkProps } from "@tanstack/react-router";
import type { AuditEvent } from "@/api/generated/models/auditEvent";

/** The page in the project of this address; null where there is none. */
export function pageOf(event: AuditEvent, project: string): LinkProps | null {
  const { target_id: id, target_type: type, details } = event;
  if (!id) return null;
  const data = (details.data ?? {}) as Record<string, unknown>;
  switch (type) {
    case "run":
      return { to: "/p/$project/r/$run", params: { project, run: id } };
    case "experiment":
      return { to: "/p/$project/x/$experiment", params: { project, experiment: id } };
    case "sensor":
      return { to: "/p/$project/sensors/$sensor", params: { project, sensor: id } };
    case "sensor_watch":
    case "profile":
      return typeof data.sensor_id === "string"
        ? { to: "/p/$project/sensors/$sensor", params: { project, sensor: data.sensor_id } }
        : null;
    case "metric_watch":
    case "notification_rule":
      return { to: "/p/$project/notifications", params: { project } };
    case "capture_session":
      return typeof data.run_id === "string"
        ? {
            to: "/p/$project/r/$run",
            params: { project, run: data.run_id },
            search: { tab: "telemetry" },
          }
        : null;
    case "artifact":
      return data.holder === "run" && typeof data.holder_id === "string"
        ? {
            to: "/p/$project/r/$run",
            params: { project, run: data.holder_id },
            search: { tab: "artifacts", file: String(details.subject_name ?? "") || undefined },
          }
        : null;
    case "comparison":
      return { to: "/p/$project/compare", params: { project } };
    case "webhook":
      return { to: "/p/$project/webhooks", params: { project } };
    case "token":
      return { to: "/p/$project/tokens", params: { project } };
    case "project":
      return { to: "/p/$project", params: { project } };
    default:
      return null;
  }
}
