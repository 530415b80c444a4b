-- squawk-ignore-file renaming-table, renaming-object, ban-drop-constraint, constraint-missing-not-valid, adding-serial-primary-key-field
-- The audit by month, so that retention drops a month and never touches a row. What is there stays
-- where it is and becomes the part for what has no month of its own; `keep_audit` moves it month by
-- month, outside of this migration. The names and columns that N-1 writes stay.
ALTER TABLE audit_events RENAME TO audit_events_default;
ALTER INDEX audit_events_newest_first RENAME TO audit_events_default_newest_first;
ALTER INDEX audit_events_of_project RENAME TO audit_events_default_of_project;
ALTER INDEX audit_events_of_actor RENAME TO audit_events_default_of_actor;
ALTER INDEX audit_events_by_action RENAME TO audit_events_default_by_action;
DROP TRIGGER audit_events_append_only ON audit_events_default;
ALTER TABLE audit_events_default ADD COLUMN actor_kind text;
-- A partition's key holds what parts it; the index is built while nobody writes, which takes a second
-- for half a million rows.
ALTER TABLE audit_events_default DROP CONSTRAINT audit_events_pkey;
ALTER TABLE audit_events_default
    ADD CONSTRAINT audit_events_default_pkey PRIMARY KEY (id, at);

-- Something that matters happened: who (a user, a token, a sensor, the system), what, to what, where
-- from, when, with what result. Written in the transaction of the change itself, or told by another
-- service under the event's own id, and never changed afterwards.
CREATE TABLE audit_events (
    id           uuid        NOT NULL,
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
    actor_kind   text,
    PRIMARY KEY (id, at),
    CONSTRAINT audit_events_result_check CHECK (result IN ('success', 'failure', 'denied'))
) PARTITION BY RANGE (at);

CREATE INDEX audit_events_newest_first ON audit_events (at DESC, id DESC);
CREATE INDEX audit_events_of_project ON audit_events (project_id, at DESC, id DESC);
CREATE INDEX audit_events_of_actor ON audit_events (actor_id, at DESC, id DESC);
CREATE INDEX audit_events_by_action ON audit_events (action, at DESC, id DESC);

ALTER TABLE audit_events ATTACH PARTITION audit_events_default DEFAULT;

CREATE INDEX audit_events_of_target ON audit_events (target_id, at DESC, id DESC);

-- The second line behind the rights below: it holds for the owner of the tables too.
CREATE TRIGGER audit_events_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_events_rows_append_only
    BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_events_keep_all
    BEFORE TRUNCATE ON audit_events_default
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Gives `month` a part of its own, with the rows that came before it was there.
CREATE FUNCTION make_audit_month(month timestamptz) RETURNS text
    LANGUAGE plpgsql SET search_path = auth, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    part text := 'audit_events_' || to_char(month, 'YYYY_MM');
    next_month timestamptz := month + interval '1 month';
BEGIN
    -- Writers wait here, not at the part for the rest: there they would already have chosen it.
    LOCK TABLE audit_events IN SHARE ROW EXCLUSIVE MODE;
    EXECUTE format('CREATE TABLE %I (LIKE audit_events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part);
    IF EXISTS (SELECT FROM audit_events_default WHERE at >= month AND at < next_month) THEN
        ALTER TABLE audit_events_default DISABLE TRIGGER USER;
        EXECUTE format(
            'WITH moved AS (DELETE FROM audit_events_default WHERE at >= $1 AND at < $2 RETURNING *)'
            ' INSERT INTO %I SELECT * FROM moved', part
        ) USING month, next_month;
        ALTER TABLE audit_events_default ENABLE TRIGGER USER;
    END IF;
    EXECUTE format(
        'ALTER TABLE audit_events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        part, month, next_month
    );
    EXECUTE format(
        'CREATE TRIGGER audit_events_keep_all BEFORE TRUNCATE ON %I'
        ' FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', part
    );
    RETURN 'made ' || part;
END
$$;

-- One step of upkeep, and what it was; one process at a time calls it. NULL where nothing is left to do. Parts are there for this month,
-- the two to come and every month with rows; those that ended more than `keep_days` ago go, 0 keeps
-- them for ever. It belongs to the owner of the tables, so that the service needs no right to do as
-- much itself; it drops nothing of the last 30 days, and writes down what it drops.
CREATE FUNCTION keep_audit(keep_days integer) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = auth, pg_temp SET timezone = 'UTC' SET lock_timeout = '2s'
AS $$
DECLARE
    this_month timestamptz := date_trunc('month', now());
    -- Months before this one are not kept.
    first_kept timestamptz := '-infinity';
    month timestamptz;
    part text;
    gone bigint;
BEGIN
    IF keep_days <> 0 AND keep_days < 30 THEN
        RAISE EXCEPTION 'audit events are kept for 30 days or longer';
    END IF;
    IF keep_days <> 0 THEN
        first_kept := date_trunc('month', now() - make_interval(days => keep_days));
    END IF;

    -- This month comes first: from then on nothing new goes where the other months are moved from.
    SELECT wanted.month INTO month
    FROM (
        SELECT generate_series(this_month, this_month + interval '2 months', '1 month') AS month
        UNION
        SELECT DISTINCT date_trunc('month', at) FROM audit_events_default
        WHERE at >= first_kept AND at < this_month
    ) AS wanted
    WHERE to_regclass('auth.audit_events_' || to_char(wanted.month, 'YYYY_MM')) IS NULL
    ORDER BY wanted.month <> this_month, wanted.month
    LIMIT 1;
    IF month IS NOT NULL THEN
        RETURN make_audit_month(month);
    END IF;

    SELECT relname INTO part
    FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'audit_events'::regclass
      AND relname ~ '^audit_events_\d{4}_\d{2}$'
      AND to_timestamp(right(relname, 7), 'YYYY_MM') < first_kept
    ORDER BY relname
    LIMIT 1;
    IF part IS NOT NULL THEN
        EXECUTE format('SELECT count(*) FROM %I', part) INTO gone;
        EXECUTE format('DROP TABLE %I', part);
    ELSIF EXISTS (SELECT FROM audit_events_default WHERE at < first_kept) THEN
        part := 'audit_events_default';
        ALTER TABLE audit_events_default DISABLE TRIGGER USER;
        DELETE FROM audit_events_default WHERE at < first_kept;
        GET DIAGNOSTICS gone = ROW_COUNT;
        ALTER TABLE audit_events_default ENABLE TRIGGER USER;
    ELSE
        RETURN NULL;
    END IF;
    INSERT INTO audit_events (id, action, actor_kind, target_type, target_id, result, details)
    VALUES (
        gen_random_uuid(), 'audit.forget', 'system', 'audit', part, 'success',
        jsonb_build_object('before', first_kept, 'events', gone, 'keep_days', keep_days)
    );
    RETURN 'dropped ' || part;
END
$$;

REVOKE ALL ON FUNCTION make_audit_month(timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION keep_audit(integer) FROM PUBLIC;

-- What the running service may do: everything with its tables, but audit events it adds and reads, and
-- its schema it leaves as it is. Called after every migration, so that new tables are in it. The role
-- is made where the owner may make roles; elsewhere an administrator makes it (docs/audit.md).
CREATE PROCEDURE grant_rights()
    LANGUAGE plpgsql SET search_path = auth, pg_temp
AS $$
DECLARE
    name text;
    rights text;
BEGIN
    IF to_regrole('runbench_auth_app') IS NULL THEN
        BEGIN
            CREATE ROLE runbench_auth_app NOLOGIN;
        EXCEPTION
            WHEN insufficient_privilege THEN RETURN;
            WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END IF;
    IF NOT pg_has_role(current_user, 'runbench_auth_app', 'SET') THEN
        BEGIN
            EXECUTE format('GRANT runbench_auth_app TO %I', current_user);
        EXCEPTION
            WHEN insufficient_privilege THEN NULL;
        END;
    END IF;
    GRANT USAGE ON SCHEMA auth TO runbench_auth_app;
    FOR name IN
        SELECT relname FROM pg_class
        WHERE relnamespace = 'auth'::regnamespace AND relkind IN ('r', 'p', 'v')
          AND NOT relispartition
    LOOP
        rights := CASE name
            WHEN 'audit_events' THEN 'SELECT, INSERT'
            WHEN 'schema_migrations' THEN 'SELECT'
            ELSE 'SELECT, INSERT, UPDATE, DELETE'
        END;
        EXECUTE format('GRANT %s ON %I TO runbench_auth_app', rights, name);
    END LOOP;
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA auth TO runbench_auth_app;
    GRANT EXECUTE ON FUNCTION keep_audit(integer) TO runbench_auth_app;
END
$$;

REVOKE ALL ON PROCEDURE grant_rights() FROM PUBLIC;
