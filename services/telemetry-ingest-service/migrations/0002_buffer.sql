-- One row is a part of the buffer in Valkey, and how far it was moved into the tables here: the
-- stream's identity and the place of the last record that is stored. The row changes in the
-- transaction that stores the records, so that none is left out and none comes twice.
CREATE TABLE buffer_places (
    shard     integer     PRIMARY KEY,
    stream    text        NOT NULL,
    position  bigint      NOT NULL,
    moved_at  timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- One row is a batch that was taken but cannot be stored, with the reason, until somebody stores it
-- after all or discards it. Sensor and project are null where its bytes do not even say whose it is.
CREATE TABLE set_aside (
    id            uuid        PRIMARY KEY,
    sensor_id     uuid,
    project_id    uuid,
    batch_id      uuid,
    received_at   timestamptz NOT NULL,
    set_aside_at  timestamptz NOT NULL DEFAULT now(),
    reason        text        NOT NULL,
    readings      bigint      NOT NULL,
    signals       text[]      NOT NULL,
    record        bytea       NOT NULL,
    CONSTRAINT set_aside_batch_key UNIQUE (sensor_id, batch_id)
);

CREATE INDEX set_aside_by_project ON set_aside (project_id, id);
