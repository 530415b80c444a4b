-- One row is a saved view: how somebody looks at a list of runs (columns, filter, order, groups,
-- charts), under a name. A personal one is its author's alone, a shared one the project's. What
-- state holds is the portal's business; it is stored as it came.
CREATE TABLE views (
    id          uuid         PRIMARY KEY,
    project_id  uuid         NOT NULL,
    kind        text         NOT NULL,
    visibility  text         NOT NULL,
    name        text         NOT NULL,
    name_key    text         COLLATE "C" NOT NULL,
    state       jsonb        NOT NULL,
    is_default  boolean      NOT NULL DEFAULT false,
    created_by  uuid         NOT NULL,
    created_at  timestamptz  NOT NULL,
    updated_at  timestamptz  NOT NULL,
    version     integer      NOT NULL DEFAULT 1,
    CONSTRAINT views_kind_check CHECK (kind IN ('runs')),
    CONSTRAINT views_visibility_check CHECK (visibility IN ('personal', 'shared'))
);

-- Names are one's own among personal views, the project's among shared ones.
CREATE UNIQUE INDEX views_personal_name_key ON views (project_id, kind, created_by, name_key)
    WHERE visibility = 'personal';
CREATE UNIQUE INDEX views_shared_name_key ON views (project_id, kind, name_key)
    WHERE visibility = 'shared';
-- One view opens by itself for a person, one for the project.
CREATE UNIQUE INDEX views_personal_default_key ON views (project_id, kind, created_by)
    WHERE visibility = 'personal' AND is_default;
CREATE UNIQUE INDEX views_shared_default_key ON views (project_id, kind)
    WHERE visibility = 'shared' AND is_default;
