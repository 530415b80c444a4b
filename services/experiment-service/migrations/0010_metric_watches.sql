-- One row is a limit that somebody has set on a metric: webhooks are told of every run whose latest
-- value is beyond it.
CREATE TABLE metric_watches (
    id          uuid              PRIMARY KEY,
    project_id  uuid              NOT NULL,
    key         text              NOT NULL,
    direction   text              NOT NULL,
    threshold   double precision  NOT NULL,
    created_by  uuid              NOT NULL,
    created_at  timestamptz       NOT NULL,
    CONSTRAINT metric_watches_direction_check CHECK (direction IN ('above', 'below'))
);
CREATE INDEX metric_watches_project ON metric_watches (project_id, id);

-- One row is a run that was found beyond a limit. It is what makes a run be told of once.
CREATE TABLE metric_alarms (
    watch_id  uuid              NOT NULL,
    run_id    uuid              NOT NULL,
    at        timestamptz       NOT NULL,
    value     double precision  NOT NULL,
    step      bigint,
    PRIMARY KEY (watch_id, run_id),
    CONSTRAINT metric_alarms_watch_fkey FOREIGN KEY (watch_id)
        REFERENCES metric_watches (id) ON DELETE CASCADE
);
