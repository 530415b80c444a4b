-- What deploy/citus asks of Citus, on a PostgreSQL without it: it notes what was asked for. The rules
-- are checked by tests/house/test_citus.py from the catalog.
CREATE TABLE citus_asked (
    place          integer  GENERATED ALWAYS AS IDENTITY,
    table_name     regclass PRIMARY KEY,
    by_column      text,  -- null for a reference table
    colocate_with  regclass
);

CREATE VIEW citus_tables AS SELECT table_name FROM citus_asked;

CREATE FUNCTION create_distributed_table(
    table_name regclass, distribution_column text, distribution_type text DEFAULT 'hash',
    colocate_with text DEFAULT 'default', shard_count integer DEFAULT NULL
) RETURNS void LANGUAGE sql AS $$
    INSERT INTO citus_asked (table_name, by_column, colocate_with)
    VALUES (table_name, distribution_column,
            CASE WHEN colocate_with = 'none' THEN table_name ELSE colocate_with::regclass END)
$$;

CREATE FUNCTION create_reference_table(table_name regclass) RETURNS void LANGUAGE sql AS $$
    INSERT INTO citus_asked (table_name) VALUES (table_name)
$$;
