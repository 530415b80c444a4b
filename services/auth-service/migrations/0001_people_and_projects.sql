-- A person who can sign in. `email` is shown and written to, `email_key` is what it is unique by:
-- case, the two spellings of an international domain and letters that look like Latin ones all
-- fold to the same key. `password_version` counts passwords; hashing one anew does not change it.
CREATE TABLE users (
    id                uuid        PRIMARY KEY,
    email             text        NOT NULL,
    email_key         text        NOT NULL,
    name              text        NOT NULL,
    password_hash     text        NOT NULL,
    password_version  integer     NOT NULL DEFAULT 1,
    is_admin          boolean     NOT NULL DEFAULT false,
    created_at        timestamptz NOT NULL DEFAULT now(),
    last_login_at     timestamptz,
    deactivated_at    timestamptz,
    CONSTRAINT users_email_key UNIQUE (email_key)
);

-- A sign-in of a person on one device, from login to logout; every refresh token belongs to one.
-- `network` is the /24 or /64 around the address: what makes a device known to the throttle.
CREATE TABLE sessions (
    id                   uuid        PRIMARY KEY,
    user_id              uuid        NOT NULL REFERENCES users,
    user_agent           text        NOT NULL,
    address              inet        NOT NULL,
    network              cidr        NOT NULL,
    created_at           timestamptz NOT NULL DEFAULT now(),
    last_used_at         timestamptz NOT NULL DEFAULT now(),
    expires_at           timestamptz NOT NULL,
    absolute_expires_at  timestamptz NOT NULL,
    revoked_at           timestamptz
);

CREATE INDEX sessions_of_user ON sessions (user_id, id DESC);
CREATE INDEX sessions_by_revocation ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;

-- One link in a session's chain of refresh tokens; using it makes the next one. Only its SHA-256 is
-- kept: the text of a successor can be worked out again from its parent, but not from this table.
CREATE TABLE refresh_tokens (
    token_hash  bytea       PRIMARY KEY,
    session_id  uuid        NOT NULL REFERENCES sessions ON DELETE CASCADE,
    generation  integer     NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    used_at     timestamptz,
    CONSTRAINT refresh_tokens_generation_key UNIQUE (session_id, generation)
);

-- A link that lets a person choose a new password once, within half an hour.
CREATE TABLE password_resets (
    token_hash  bytea       PRIMARY KEY,
    user_id     uuid        NOT NULL REFERENCES users,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz
);

CREATE INDEX password_resets_of_user ON password_resets (user_id, created_at DESC);

-- How often somebody failed, and when they may try again. The subject is a hash of what is slowed
-- down: an account from one device or network, or a whole network. `noted`: the audit has this delay.
CREATE TABLE throttles (
    subject      bytea       PRIMARY KEY,
    failures     integer     NOT NULL,
    not_before   timestamptz NOT NULL,
    last_at      timestamptz NOT NULL,
    noted        boolean     NOT NULL
);

CREATE INDEX throttles_oldest_first ON throttles (last_at);

-- A project: the circle of people who see the same experiments.
CREATE TABLE projects (
    id           uuid        PRIMARY KEY,
    slug         text        NOT NULL,
    name         text        NOT NULL,
    description  text        NOT NULL,
    version      integer     NOT NULL DEFAULT 1,
    created_by   uuid        NOT NULL REFERENCES users,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    archived_at  timestamptz,
    CONSTRAINT projects_slug_key UNIQUE (slug)
);

-- A person's part in a project.
CREATE TABLE members (
    project_id  uuid        NOT NULL REFERENCES projects,
    user_id     uuid        NOT NULL REFERENCES users,
    role        text        NOT NULL,
    added_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project_id, user_id),
    CONSTRAINT members_role_check CHECK (role IN ('viewer', 'editor', 'owner'))
);

CREATE INDEX members_of_user ON members (user_id);

-- A token for a person's programs, good in one project up to a role. Only the SHA-256 of its secret
-- is kept; the key id finds the row and is shown.
CREATE TABLE api_tokens (
    id            uuid        PRIMARY KEY,
    key_id        text        NOT NULL,
    secret_hash   bytea       NOT NULL,
    name          text        NOT NULL,
    project_id    uuid        NOT NULL REFERENCES projects,
    user_id       uuid        NOT NULL REFERENCES users,
    role          text        NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz,
    last_used_at  timestamptz,
    revoked_at    timestamptz,
    CONSTRAINT api_tokens_key_id_key UNIQUE (key_id),
    CONSTRAINT api_tokens_role_check CHECK (role IN ('viewer', 'editor', 'owner'))
);

CREATE INDEX api_tokens_of_user ON api_tokens (user_id, id DESC);
CREATE INDEX api_tokens_of_project ON api_tokens (project_id, id DESC);

-- A public key that has signed or may sign access tokens, and since when it is known.
CREATE TABLE signing_keys (
    kid         text        PRIMARY KEY,
    first_seen  timestamptz NOT NULL DEFAULT now()
);

-- Something that matters to security happened: who, what, where, when, with what result. Written in
-- the transaction of the change itself and never changed afterwards.
CREATE TABLE audit_events (
    id           uuid        PRIMARY KEY,
    at           timestamptz NOT NULL DEFAULT now(),
    action       text        NOT NULL,
    actor_id     uuid,
    actor_name   text,
    project_id   uuid,
    target_type  text,
    target_id    text,
    address      inet,
    result       text        NOT NULL,
    details      jsonb       NOT NULL,
    trace_id     text,
    CONSTRAINT audit_events_result_check CHECK (result IN ('success', 'failure', 'denied'))
);

CREATE INDEX audit_events_newest_first ON audit_events (at DESC, id DESC);
CREATE INDEX audit_events_of_project ON audit_events (project_id, at DESC, id DESC);
CREATE INDEX audit_events_of_actor ON audit_events (actor_id, at DESC, id DESC);
CREATE INDEX audit_events_by_action ON audit_events (action, at DESC, id DESC);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit events are only ever added';
END
$$;

CREATE TRIGGER audit_events_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
