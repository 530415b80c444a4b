import type { Delivery } from "@/api/generated/models/delivery";
import type { DeliveryDetails } from "@/api/generated/models/deliveryDetails";
import type { MetricWatch } from "@/api/generated/models/metricWatch";
import type { Webhook } from "@/api/generated/models/webhook";
import { type Backend, newId, page } from "./backend";

const now = "2026-11-23T08:00:00.000000Z";

/** Webhooks as the server answers them; `accepts` says whether receivers take calls. */
export class Webhooks {
  readonly webhooks: Webhook[] = [];
  readonly deliveries: DeliveryDetails[] = [];
  readonly watches: MetricWatch[] = [];
  accepts = true;
  /** For how long the secret before goes on signing, as it was asked for last. */
  graceSec: number | null = null;

  constructor(backend: Backend) {
    const find = (id: string | undefined) => {
      const found = this.webhooks.find((one) => one.id === id);
      if (!found) throw new Error(`There is no webhook ${id}.`);
      return found;
    };
    backend.on("GET /api/v1/projects/{}/metric-watches", () => page(this.watches));
    backend.on("POST /api/v1/projects/{}/metric-watches", ({ params: [id = ""], body }) => {
      const watch = {
        ...(body as Pick<MetricWatch, "key" | "direction" | "threshold">),
        id: newId(),
        project_id: id,
        created_by: backend.user?.id ?? "",
        created_at: now,
      };
      this.watches.push(watch);
      return Response.json(watch, { status: 201 });
    });
    backend.on("DELETE /api/v1/metric-watches/{}", ({ params: [id] }) => {
      const at = this.watches.findIndex((one) => one.id === id);
      this.watches.splice(at, 1);
      return new Response(null, { status: 204 });
    });
    backend.on("GET /api/v1/projects/{}/webhooks", ({ params: [id] }) =>
      page(this.webhooks.filter((one) => one.project_id === id)),
    );
    backend.on("POST /api/v1/projects/{}/webhooks", ({ params: [id = ""], body }) => {
      const webhook: Webhook = {
        id: newId(),
        project_id: id,
        name: String(body.name),
        url: String(body.url),
        event_types: body.event_types as Webhook["event_types"],
        state: "active",
        pause_reason: null,
        failing_since: null,
        previous_secret_until: null,
        created_by: backend.user?.id ?? "",
        created_at: now,
        updated_at: now,
        version: 1,
      };
      this.webhooks.push(webhook);
      return Response.json({ ...webhook, secret: "whsec_Zmlyc3Q=" }, { status: 201 });
    });
    backend.on("PATCH /api/v1/webhooks/{}", ({ params: [id], body }) => {
      const webhook = Object.assign(find(id), body);
      webhook.pause_reason = webhook.state === "paused" ? "by-hand" : null;
      return Response.json(webhook);
    });
    backend.on("DELETE /api/v1/webhooks/{}", ({ params: [id] }) => {
      this.webhooks.splice(this.webhooks.indexOf(find(id)), 1);
      return new Response(null, { status: 204 });
    });
    backend.on("POST /api/v1/webhooks/{}/secret", ({ params: [id], body }) => {
      this.graceSec = Number(body.grace_seconds);
      return Response.json({ ...find(id), secret: "whsec_c2Vjb25k" }, { status: 201 });
    });
    backend.on("POST /api/v1/webhooks/{}/test", ({ params: [id = ""] }) =>
      Response.json(this.deliver(find(id), "webhook.test"), { status: 201 }),
    );
    backend.on("GET /api/v1/webhooks/{}/deliveries", ({ params: [id], query }) => {
      const state = query.get("state");
      return page<Delivery>(
        this.deliveries.filter(
          (one) => one.webhook_id === id && (state === null || one.state === state),
        ),
      );
    });
    backend.on("GET /api/v1/webhook-deliveries/{}", ({ params: [id] }) =>
      Response.json(this.deliveries.find((one) => one.id === id)),
    );
    backend.on("POST /api/v1/webhook-deliveries/{}/redeliver", ({ params: [id] }) => {
      const delivery = this.deliveries.find((one) => one.id === id);
      if (delivery) delivery.state = "pending";
      return Response.json(delivery, { status: 201 });
    });
  }

  deliver(webhook: Webhook, type: string): DeliveryDetails {
    const delivery: DeliveryDetails = {
      id: newId(),
      webhook_id: webhook.id,
      event_id: newId(),
      event_type: type,
      state: this.accepts ? "delivered" : "dead",
      attempts: 1,
      next_try_at: null,
      created_at: now,
      last_status: this.accepts ? 204 : null,
      last_failure: this.accepts ? null : "address-refused",
      last_duration_ms: 12,
      url: webhook.url,
      headers: { "webhook-id": "1" },
      body: `{"type":"${type}"}`,
      calls: [
        {
          number: 1,
          at: now,
          status: this.accepts ? 204 : null,
          failure: this.accepts ? null : "address-refused",
          duration_ms: 12,
        },
      ],
    };
    this.deliveries.unshift(delivery);
    return delivery;
  }
}
