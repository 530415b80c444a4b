import type { Notification } from "@/api/generated/models/notification";
import type { NotificationRule } from "@/api/generated/models/notificationRule";
import { type Backend, newId, page, problem } from "./backend";

const now = "2026-11-23T08:00:00.000000Z";

/** A person's rules and mails as the server answers them. */
export class Notifications {
  readonly rules: NotificationRule[] = [];
  readonly told: Notification[] = [];
  isSetUp = true;
  /** Why the mail server takes no mail; null where it does. */
  failure: string | null = null;

  constructor(backend: Backend) {
    backend.on("GET /api/v1/projects/{}/notification-rules", () => page(this.rules));
    backend.on("POST /api/v1/projects/{}/notification-rules", ({ params: [id = ""], body }) => {
      const rule = {
        ...(body as Pick<
          NotificationRule,
          "event_types" | "only_mine" | "experiment_id" | "name_part" | "language"
        >),
        id: newId(),
        project_id: id,
        user_id: backend.user?.id ?? "",
        state: "active" as const,
        created_at: now,
        updated_at: now,
        version: 1,
      };
      this.rules.push(rule);
      return Response.json(rule, { status: 201 });
    });
    backend.on("PATCH /api/v1/notification-rules/{}", ({ params: [id], body, headers }) => {
      const rule = this.rules.find((one) => one.id === id);
      if (!rule) return problem(404, "not-found");
      const match = headers.get("If-Match");
      if (match && match !== `"${rule.version}"`) return problem(412, "precondition-failed");
      return Response.json(Object.assign(rule, body, { version: rule.version + 1 }));
    });
    backend.on("DELETE /api/v1/notification-rules/{}", ({ params: [id] }) => {
      const at = this.rules.findIndex((one) => one.id === id);
      this.rules.splice(at, 1);
      return new Response(null, { status: 204 });
    });
    backend.on("GET /api/v1/projects/{}/notifications", () => page(this.told));
    backend.on("GET /api/v1/projects/{}/notifications/mail", () =>
      Response.json({
        is_set_up: this.isSetUp,
        address: this.isSetUp ? (backend.user?.email ?? null) : null,
      }),
    );
    backend.on("POST /api/v1/projects/{}/notifications/test", () => {
      const sent: Notification = {
        id: newId(),
        rule_id: null,
        event_type: "notification.test",
        subject_name: null,
        state: this.failure ? "dead" : "sent",
        failure: this.failure,
        next_try_at: null,
        created_at: now,
        sent_at: this.failure ? null : now,
      };
      this.told.unshift(sent);
      return Response.json(sent, { status: 201 });
    });
  }
}
