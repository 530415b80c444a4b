-- Who is told of what happens here: a sink that no process has had for long is forgotten.
CREATE TABLE outbox_sinks (
    name     text        PRIMARY KEY,
    seen_at  timestamptz NOT NULL DEFAULT now()
);

-- One row is an event on its way to one sink, written with the change that it tells of, and gone
-- when the sink has it. Positions are taken while the changed row is held, so that what happens
-- to one thing is told in the order in which it happened.
CREATE TABLE outbox (
    sink      text        NOT NULL,
    position  bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    event     jsonb       NOT NULL,
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sink, position)
);
