-- The schema as it is now, generated from the migrations.

CREATE SCHEMA artifact;

CREATE TABLE artifact.artifacts (
    id uuid NOT NULL,
    holder text NOT NULL,
    holder_id uuid NOT NULL,
    path text NOT NULL COLLATE pg_catalog."C",
    object_id uuid NOT NULL,
    media_type text NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT artifacts_holder_check CHECK ((holder = ANY (ARRAY['run'::text, 'model'::text])))
);

CREATE TABLE artifact.idempotency_keys (
    caller text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    body_hash bytea NOT NULL,
    status smallint NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE artifact.objects (
    id uuid NOT NULL,
    state text DEFAULT 'arriving'::text NOT NULL,
    sha256 bytea,
    size bigint,
    suspect_since timestamp with time zone DEFAULT now(),
    CONSTRAINT objects_state_check CHECK ((state = ANY (ARRAY['arriving'::text, 'stored'::text, 'leaving'::text]))),
    CONSTRAINT objects_stored_check CHECK (((state <> 'stored'::text) OR ((length(sha256) = 32) AND (size >= 0))))
);

CREATE TABLE artifact.schema_migrations (
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY artifact.artifacts
    ADD CONSTRAINT artifacts_path_key UNIQUE (holder_id, path);

ALTER TABLE ONLY artifact.artifacts
    ADD CONSTRAINT artifacts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY artifact.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (caller, route, key);

ALTER TABLE ONLY artifact.objects
    ADD CONSTRAINT objects_pkey PRIMARY KEY (id);

ALTER TABLE ONLY artifact.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (name);

CREATE INDEX artifacts_object_id_idx ON artifact.artifacts USING btree (object_id);

CREATE INDEX idempotency_keys_oldest_first ON artifact.idempotency_keys USING btree (created_at);

CREATE UNIQUE INDEX objects_sha256_key ON artifact.objects USING btree (sha256) WHERE (state = 'stored'::text);

CREATE INDEX objects_suspect_since_idx ON artifact.objects USING btree (suspect_since) WHERE (suspect_since IS NOT NULL);

ALTER TABLE ONLY artifact.artifacts
    ADD CONSTRAINT artifacts_object_id_fkey FOREIGN KEY (object_id) REFERENCES artifact.objects(id);
