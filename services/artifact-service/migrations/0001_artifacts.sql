-- One row is an object of the store: on its way in, there, or on its way out. Its key in the store
-- is made from its id and never used again, so that what is being removed can always come anew
-- under another key. `suspect_since` is since when it may be unneeded: the last sign of life of
-- its upload, or when a file let go of it; null where nothing says so.
CREATE TABLE objects (
    id uuid PRIMARY KEY,
    state text NOT NULL DEFAULT 'arriving',
    sha256 bytea,
    size bigint,
    suspect_since timestamptz DEFAULT now(),
    CONSTRAINT objects_state_check CHECK (state IN ('arriving', 'stored', 'leaving')),
    CONSTRAINT objects_stored_check
        CHECK (state <> 'stored' OR (length(sha256) = 32 AND size >= 0))
);

-- The same content is stored once.
CREATE UNIQUE INDEX objects_sha256_key ON objects (sha256) WHERE state = 'stored';

-- What the collector looks at.
CREATE INDEX objects_suspect_since_idx ON objects (suspect_since) WHERE suspect_since IS NOT NULL;

-- One row is a file of a run or of a logged model, visible since its content was complete. The
-- rows that name an object are its reference count.
CREATE TABLE artifacts (
    id uuid PRIMARY KEY,
    holder text NOT NULL,
    holder_id uuid NOT NULL,
    path text COLLATE "C" NOT NULL,
    object_id uuid NOT NULL REFERENCES objects,
    media_type text NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT artifacts_holder_check CHECK (holder IN ('run', 'model')),
    CONSTRAINT artifacts_path_key UNIQUE (holder_id, path)
);

CREATE INDEX artifacts_object_id_idx ON artifacts (object_id);
