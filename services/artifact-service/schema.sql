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
    description text DEFAULT ''::text NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    approved_by uuid,
    approved_at timestamp with time zone,
    approval_note text DEFAULT ''::text NOT NULL,
    CONSTRAINT artifacts_approval_check CHECK (((approved_by IS NULL) = (approved_at IS NULL))),
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

CREATE TABLE artifact.inputs (
    run_id uuid NOT NULL,
    artifact_id uuid NOT NULL,
    project_id uuid NOT NULL,
    source_run_id uuid,
    path text NOT NULL,
    size bigint NOT NULL,
    sha256 bytea NOT NULL,
    role text DEFAULT ''::text NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE artifact.objects (
    id uuid NOT NULL,
    state text DEFAULT 'arriving'::text NOT NULL,
    sha256 bytea,
    size bigint,
    suspect_since timestamp with time zone DEFAULT now(),
    detected_media_type text,
    CONSTRAINT objects_state_check CHECK ((state = ANY (ARRAY['arriving'::text, 'stored'::text, 'leaving'::text]))),
    CONSTRAINT objects_stored_check CHECK (((state <> 'stored'::text) OR ((length(sha256) = 32) AND (size >= 0))))
);

CREATE TABLE artifact.outbox (
    sink text NOT NULL,
    "position" bigint NOT NULL,
    event jsonb NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE artifact.outbox ALTER COLUMN "position" ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME artifact.outbox_position_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE artifact.outbox_sinks (
    name text NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE artifact.schema_migrations (
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE artifact.upload_parts (
    upload_id uuid NOT NULL,
    number integer NOT NULL,
    size bigint NOT NULL,
    sha256 bytea NOT NULL,
    CONSTRAINT upload_parts_number_check CHECK ((number >= 1))
);

CREATE TABLE artifact.uploads (
    id uuid NOT NULL,
    holder text NOT NULL,
    holder_id uuid NOT NULL,
    path text NOT NULL COLLATE pg_catalog."C",
    size bigint NOT NULL,
    part_size bigint NOT NULL,
    sha256 bytea,
    object_id uuid,
    artifact_id uuid,
    created_by uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    joining_until timestamp with time zone,
    loose boolean DEFAULT false NOT NULL,
    CONSTRAINT uploads_holder_check CHECK ((holder = ANY (ARRAY['run'::text, 'model'::text]))),
    CONSTRAINT uploads_size_check CHECK (((size > 0) AND (part_size > 0))),
    CONSTRAINT uploads_state_check CHECK (((object_id IS NULL) <> (artifact_id IS NULL)))
);

ALTER TABLE ONLY artifact.artifacts
    ADD CONSTRAINT artifacts_path_key UNIQUE (holder_id, path);

ALTER TABLE ONLY artifact.artifacts
    ADD CONSTRAINT artifacts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY artifact.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (caller, route, key);

ALTER TABLE ONLY artifact.inputs
    ADD CONSTRAINT inputs_pkey PRIMARY KEY (run_id, artifact_id);

ALTER TABLE ONLY artifact.objects
    ADD CONSTRAINT objects_pkey PRIMARY KEY (id);

ALTER TABLE ONLY artifact.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (sink, "position");

ALTER TABLE ONLY artifact.outbox_sinks
    ADD CONSTRAINT outbox_sinks_pkey PRIMARY KEY (name);

ALTER TABLE ONLY artifact.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (name);

ALTER TABLE ONLY artifact.upload_parts
    ADD CONSTRAINT upload_parts_pkey PRIMARY KEY (upload_id, number);

ALTER TABLE ONLY artifact.uploads
    ADD CONSTRAINT uploads_pkey PRIMARY KEY (id);

CREATE INDEX artifacts_object_id_idx ON artifact.artifacts USING btree (object_id);

CREATE INDEX idempotency_keys_oldest_first ON artifact.idempotency_keys USING btree (created_at);

CREATE INDEX inputs_artifact_id_idx ON artifact.inputs USING btree (artifact_id, created_at);

CREATE UNIQUE INDEX objects_sha256_key ON artifact.objects USING btree (sha256) WHERE (state = 'stored'::text);

CREATE INDEX objects_suspect_since_idx ON artifact.objects USING btree (suspect_since) WHERE (suspect_since IS NOT NULL);

CREATE INDEX uploads_completed_idx ON artifact.uploads USING btree (expires_at) WHERE (artifact_id IS NOT NULL);

CREATE INDEX uploads_object_id_idx ON artifact.uploads USING btree (object_id);

ALTER TABLE ONLY artifact.artifacts
    ADD CONSTRAINT artifacts_object_id_fkey FOREIGN KEY (object_id) REFERENCES artifact.objects(id);

ALTER TABLE ONLY artifact.upload_parts
    ADD CONSTRAINT upload_parts_upload_id_fkey FOREIGN KEY (upload_id) REFERENCES artifact.uploads(id) ON DELETE CASCADE;

ALTER TABLE ONLY artifact.uploads
    ADD CONSTRAINT uploads_object_id_fkey FOREIGN KEY (object_id) REFERENCES artifact.objects(id) ON DELETE CASCADE;
