-- squawk-ignore-file require-concurrent-index-creation, prefer-bigint-over-int, adding-field-with-default
-- Each row of the audit holds the SHA-256 of what it says and of the row before it, so that a row that
-- was changed, taken out or put in between is found (docs/audit.md). N-1 writes on as it does: the
-- columns are filled by a trigger. Rows from before stand before the beginning of the chains.
ALTER TABLE audit_events ADD COLUMN chain_number bigint;
ALTER TABLE audit_events ADD COLUMN hash bytea;

-- One row is a chain of audit events, a project's or the platform's own (nil): how long it is, the hash
-- of its last row, and since when there is one. Who writes holds it until the transaction ends.
CREATE TABLE audit_chains (
    chain     uuid        PRIMARY KEY,
    length    bigint      NOT NULL,
    hash      bytea       NOT NULL,
    began_at  timestamptz NOT NULL
);

-- One row is a part of a chain that was forgotten with its month: its numbers, and the hash of its last
-- event, from which the chain goes on.
CREATE TABLE audit_forgotten (
    chain   uuid    NOT NULL,
    first   bigint  NOT NULL,
    last    bigint  NOT NULL,
    hash    bytea   NOT NULL,
    PRIMARY KEY (chain, first)
);

-- What was written before this moment has no hash, nor could anybody have known it.
INSERT INTO audit_chains (chain, length, hash, began_at)
SELECT '00000000-0000-0000-0000-000000000000', 0, '\x', greatest(now(), max(at)) FROM audit_events;

-- Nothing is in it yet, so that it costs one look at each row and no time of writers after that.
CREATE INDEX audit_events_in_chain ON audit_events (project_id, chain_number)
    WHERE chain_number IS NOT NULL;

-- A value as it is hashed: its length in bytes before it, so that no two rows read the same.
CREATE FUNCTION audit_field(value text) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
AS $$ SELECT CASE WHEN value IS NULL THEN '-' ELSE octet_length(value) || ':' || value END || E'\n' $$;

-- Puts a new event at the end of its chain. An event that is told again is none: it must not move
-- the chain, so it is looked for while the chain is held.
CREATE FUNCTION chain_audit_event() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = auth, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    own uuid := coalesce(NEW.project_id, '00000000-0000-0000-0000-000000000000');
    head audit_chains;
BEGIN
    SELECT * INTO head FROM audit_chains WHERE chain = own FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO audit_chains (chain, length, hash, began_at) VALUES (own, 0, '\x', now())
        ON CONFLICT DO NOTHING;
        SELECT * INTO head FROM audit_chains WHERE chain = own FOR UPDATE;
    END IF;
    IF EXISTS (SELECT FROM audit_events WHERE id = NEW.id AND at = NEW.at) THEN
        RETURN NULL;
    END IF;
    NEW.chain_number := head.length + 1;
    NEW.hash := sha256(head.hash || convert_to(
        audit_field(NEW.chain_number::text)
        || audit_field(NEW.id::text)
        || audit_field(to_char(NEW.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
        || audit_field(NEW.action)
        || audit_field(NEW.result)
        || audit_field(NEW.actor_kind)
        || audit_field(NEW.actor_id::text)
        || audit_field(NEW.actor_name)
        || audit_field(NEW.project_id::text)
        || audit_field(NEW.target_type)
        || audit_field(NEW.target_id)
        || audit_field(host(NEW.address))
        || audit_field(NEW.details::text)
        || audit_field(NEW.trace_id), 'UTF8'));
    UPDATE audit_chains SET length = NEW.chain_number, hash = NEW.hash WHERE chain = own;
    RETURN NEW;
END
$$;

CREATE TRIGGER audit_events_chained
    BEFORE INSERT ON audit_events
    FOR EACH ROW EXECUTE FUNCTION chain_audit_event();

-- Notes what goes with a part of the audit, or with what of it is older than `before`.
CREATE FUNCTION forget_chains(part text, before timestamptz) RETURNS void
    LANGUAGE plpgsql SET search_path = auth, pg_temp SET timezone = 'UTC'
AS $$
BEGIN
    EXECUTE format($q$
        INSERT INTO audit_forgotten (chain, first, last, hash)
        SELECT chain, min(chain_number), max(chain_number),
               (array_agg(hash ORDER BY chain_number DESC))[1]
        FROM (
            SELECT coalesce(project_id, '00000000-0000-0000-0000-000000000000') AS chain,
                   chain_number, hash,
                   chain_number - row_number() OVER (PARTITION BY project_id ORDER BY chain_number)
                       AS island
            FROM %I
            WHERE chain_number IS NOT NULL AND at < $1
        ) AS gone
        GROUP BY chain, island
        $q$, part) USING before;
END
$$;

CREATE OR REPLACE FUNCTION keep_audit(keep_days integer) RETURNS text
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
        -- Nobody adds to it any more between what is noted of it and its end.
        EXECUTE format('LOCK TABLE audit_events, %I IN ACCESS EXCLUSIVE MODE', part);
        PERFORM forget_chains(part, 'infinity');
        EXECUTE format('SELECT count(*) FROM %I', part) INTO gone;
        EXECUTE format('DROP TABLE %I', part);
    ELSIF EXISTS (SELECT FROM audit_events_default WHERE at < first_kept) THEN
        part := 'audit_events_default';
        ALTER TABLE audit_events_default DISABLE TRIGGER USER;
        PERFORM forget_chains(part, first_kept);
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

REVOKE ALL ON FUNCTION chain_audit_event() FROM PUBLIC;
REVOKE ALL ON FUNCTION forget_chains(text, timestamptz) FROM PUBLIC;

CREATE OR REPLACE PROCEDURE grant_rights()
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
            WHEN 'audit_chains' THEN 'SELECT'
            WHEN 'audit_forgotten' THEN 'SELECT'
            WHEN 'schema_migrations' THEN 'SELECT'
            ELSE 'SELECT, INSERT, UPDATE, DELETE'
        END;
        EXECUTE format('GRANT %s ON %I TO runbench_auth_app', rights, name);
    END LOOP;
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA auth TO runbench_auth_app;
    GRANT EXECUTE ON FUNCTION keep_audit(integer) TO runbench_auth_app;
END
$$;
