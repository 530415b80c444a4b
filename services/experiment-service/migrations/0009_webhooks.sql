-- One row is an address of a project that is told what happens there. What it signs with is sealed
-- by a key that the database does not have. The secret before goes on signing until its end.
CREATE TABLE webhooks (
    id               uuid         PRIMARY KEY,
    project_id       uuid         NOT NULL,
    name             text         NOT NULL,
    url              text         NOT NULL,
    event_types      text[]       NOT NULL,
    state            text         NOT NULL DEFAULT 'active',
    pause_reason     text,
    failing_since    timestamptz,
    secret           bytea        NOT NULL,
    previous_secret  bytea,
    previous_until   timestamptz,
    created_by       uuid         NOT NULL,
    created_at       timestamptz  NOT NULL,
    updated_at       timestamptz  NOT NULL,
    version          integer      NOT NULL DEFAULT 1,
    CONSTRAINT webhooks_state_check CHECK (state IN ('active', 'paused')),
    CONSTRAINT webhooks_pause_reason_check
        CHECK ((state = 'paused') = (pause_reason IS NOT NULL)),
    CONSTRAINT webhooks_pause_reason_known
        CHECK (pause_reason IN ('by-hand', 'failing', 'gone')),
    CONSTRAINT webhooks_id_project_key UNIQUE (id, project_id)
);
CREATE INDEX webhooks_project ON webhooks (project_id, id);

-- One row is an event on its way to an address, or there, or given up. It keeps the very bytes
-- that are signed and sent. next_try_at is null where nothing is due: it is through, or the webhook
-- is paused. tries are those since it was queued or asked for again; attempts are all.
CREATE TABLE webhook_deliveries (
    id            uuid         PRIMARY KEY,
    webhook_id    uuid         NOT NULL,
    project_id    uuid         NOT NULL,
    event_id      uuid         NOT NULL,
    event_type    text         NOT NULL,
    body          text         NOT NULL,
    state         text         NOT NULL DEFAULT 'pending',
    tries         integer      NOT NULL DEFAULT 0,
    attempts      integer      NOT NULL DEFAULT 0,
    next_try_at   timestamptz,
    created_at    timestamptz  NOT NULL,
    CONSTRAINT webhook_deliveries_state_check
        CHECK (state IN ('pending', 'delivered', 'dead')),
    CONSTRAINT webhook_deliveries_event_key UNIQUE (webhook_id, event_id),
    CONSTRAINT webhook_deliveries_webhook_fkey FOREIGN KEY (webhook_id, project_id)
        REFERENCES webhooks (id, project_id) ON DELETE CASCADE
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_try_at)
    WHERE next_try_at IS NOT NULL;
CREATE INDEX webhook_deliveries_newest ON webhook_deliveries (webhook_id, id DESC);
CREATE INDEX webhook_deliveries_by_time ON webhook_deliveries (created_at);

-- One row is one call of an address: how it went, and how long it took. Of the answer nothing is
-- kept but the status.
CREATE TABLE webhook_attempts (
    delivery_id  uuid         NOT NULL,
    number       integer      NOT NULL,
    at           timestamptz  NOT NULL,
    status       integer,
    failure      text,
    duration_ms  integer      NOT NULL,
    PRIMARY KEY (delivery_id, number),
    CONSTRAINT webhook_attempts_delivery_fkey FOREIGN KEY (delivery_id)
        REFERENCES webhook_deliveries (id) ON DELETE CASCADE
);
