-- One row is what a member of a project wants to be told of by mail. What they say of runs (their
-- own, of one experiment) holds for events about runs; a part of a name for all.
CREATE TABLE notification_rules (
    id             uuid         PRIMARY KEY,
    project_id     uuid         NOT NULL,
    user_id        uuid         NOT NULL,
    event_types    text[]       NOT NULL,
    only_mine      boolean      NOT NULL,
    experiment_id  uuid,
    name_part      text,
    language       text         NOT NULL,
    state          text         NOT NULL DEFAULT 'active',
    created_at     timestamptz  NOT NULL,
    updated_at     timestamptz  NOT NULL,
    version        integer      NOT NULL DEFAULT 1,
    CONSTRAINT notification_rules_state_check CHECK (state IN ('active', 'paused')),
    CONSTRAINT notification_rules_language_check CHECK (language IN ('en', 'ru'))
);
CREATE INDEX notification_rules_project ON notification_rules (project_id, user_id, id);

-- One row is an event that a person is to be told of, or was, or no longer is. Those with one mail_id
-- went in one mail. next_try_at is null where nothing is due. A test has no rule.
CREATE TABLE notifications (
    id           uuid         PRIMARY KEY,
    rule_id      uuid,
    project_id   uuid         NOT NULL,
    user_id      uuid         NOT NULL,
    language     text         NOT NULL,
    event_id     uuid         NOT NULL,
    event_type   text         NOT NULL,
    event        jsonb        NOT NULL,
    state        text         NOT NULL DEFAULT 'pending',
    tries        integer      NOT NULL DEFAULT 0,
    failure      text,
    next_try_at  timestamptz,
    created_at   timestamptz  NOT NULL,
    sent_at      timestamptz,
    mail_id      uuid,
    CONSTRAINT notifications_state_check CHECK (state IN ('pending', 'sent', 'dead', 'dropped')),
    CONSTRAINT notifications_event_key UNIQUE (project_id, user_id, event_id),
    CONSTRAINT notifications_rule_fkey FOREIGN KEY (rule_id)
        REFERENCES notification_rules (id) ON DELETE CASCADE
);
CREATE INDEX notifications_due ON notifications (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX notifications_of_person ON notifications (project_id, user_id, id DESC);
CREATE INDEX notifications_sent ON notifications (user_id, sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX notifications_by_rule ON notifications (rule_id);
CREATE INDEX notifications_by_time ON notifications (created_at);
