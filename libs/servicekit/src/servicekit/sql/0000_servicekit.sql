-- One row is the answer to a request that carried an Idempotency-Key: a repeat gets it again.
CREATE TABLE idempotency_keys (
    caller      text        NOT NULL,
    route       text        NOT NULL,
    key         text        NOT NULL,
    body_hash   bytea       NOT NULL,
    status      smallint    NOT NULL,
    headers     jsonb       NOT NULL,
    body        bytea       NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (caller, route, key)
);

CREATE INDEX idempotency_keys_oldest_first ON idempotency_keys (created_at);
