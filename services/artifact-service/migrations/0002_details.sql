-- What the first bytes of the content show it to be; null where they were never looked at.
ALTER TABLE objects ADD COLUMN detected_media_type text;

-- What people say of a file, and an owner's word that it is good: that falls away with the content.
ALTER TABLE artifacts
    ADD COLUMN description text NOT NULL DEFAULT '',
    ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN approved_by uuid,
    ADD COLUMN approved_at timestamptz,
    ADD COLUMN approval_note text NOT NULL DEFAULT '',
    ADD CONSTRAINT artifacts_approval_check
        CHECK ((approved_by IS NULL) = (approved_at IS NULL)) NOT VALID;

-- One row is an upload in parts: on its way, or completed a while ago, so that whoever asks again
-- hears the same. While it is on its way, `object_id` is the object that it becomes, and goes when
-- that does. `joining_until` is for how long a process that puts the parts together is believed to
-- be at it.
CREATE TABLE uploads (
    id uuid PRIMARY KEY,
    holder text NOT NULL,
    holder_id uuid NOT NULL,
    path text COLLATE "C" NOT NULL,
    size bigint NOT NULL,
    part_size bigint NOT NULL,
    sha256 bytea,
    object_id uuid REFERENCES objects ON DELETE CASCADE,
    artifact_id uuid,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    joining_until timestamptz,
    CONSTRAINT uploads_holder_check CHECK (holder IN ('run', 'model')),
    CONSTRAINT uploads_size_check CHECK (size > 0 AND part_size > 0),
    CONSTRAINT uploads_state_check CHECK ((object_id IS NULL) <> (artifact_id IS NULL))
);

CREATE INDEX uploads_object_id_idx ON uploads (object_id);

-- What the collector looks at.
CREATE INDEX uploads_completed_idx ON uploads (expires_at) WHERE artifact_id IS NOT NULL;

-- One row is a part of an upload that is in the store, whole.
CREATE TABLE upload_parts (
    upload_id uuid NOT NULL REFERENCES uploads ON DELETE CASCADE,
    number integer NOT NULL,
    size bigint NOT NULL,
    sha256 bytea NOT NULL,
    PRIMARY KEY (upload_id, number),
    CONSTRAINT upload_parts_number_check CHECK (number >= 1)
);

-- One row is a file that a run used. What the file was then is kept here and outlives it.
CREATE TABLE inputs (
    run_id uuid NOT NULL,
    artifact_id uuid NOT NULL,
    project_id uuid NOT NULL,
    source_run_id uuid,
    path text NOT NULL,
    size bigint NOT NULL,
    sha256 bytea NOT NULL,
    role text NOT NULL DEFAULT '',
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, artifact_id)
);

CREATE INDEX inputs_artifact_id_idx ON inputs (artifact_id, created_at);
