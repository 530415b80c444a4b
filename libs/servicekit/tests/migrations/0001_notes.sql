-- A note belongs to a project.
CREATE TABLE notes (
    id          uuid    PRIMARY KEY DEFAULT uuidv7(),
    project_id  uuid    NOT NULL,
    title       text    NOT NULL,
    version     integer NOT NULL DEFAULT 1,
    CONSTRAINT notes_title_key UNIQUE (project_id, title)
);
