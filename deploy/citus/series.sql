-- Spreads the series (telemetry and metrics) over the workers of a Citus cluster, by their owner: the
-- sensor or the run. Everything else stays on the coordinator. May be run again, also after an upgrade.
--
--   psql "$EXPERIMENT_DATABASE_URL" --single-transaction -v ON_ERROR_STOP=1 -f deploy/citus/series.sql
--
-- Before: CREATE EXTENSION citus, citus_add_node(…) for each worker, and the migrations. With tables
-- that are full already, see docs/operating/scale.md. An owner and all that is written in one
-- transaction with it lie on one worker, so that its lock and its ordinals mean what they mean on
-- one server.

-- 1. Keys. Citus keeps a key unique where it holds the column that tells the worker. A series belongs
--    to one owner, so the wider keys say the same; their first columns stay, and with them the lookups.
DO $$
DECLARE
    place text;
BEGIN
    FOREACH place IN ARRAY ARRAY['telemetry', 'metrics'] LOOP
        IF NOT EXISTS (
            SELECT FROM pg_index i
            JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
            WHERE i.indexrelid = (place || '.chunks_pkey')::regclass AND a.attname = 'owner_id'
        ) THEN
            EXECUTE format(
                'ALTER TABLE %1$I.chunks DROP CONSTRAINT chunks_pkey, ADD CONSTRAINT chunks_pkey'
                ' PRIMARY KEY (series_id, first_ordinal, part, owner_id)', place);
            EXECUTE format(
                'ALTER TABLE %1$I.series DROP CONSTRAINT series_pkey, ADD CONSTRAINT series_pkey'
                ' PRIMARY KEY (id, owner_id)', place);
        END IF;
    END LOOP;
END
$$;

-- 2. Sensors.
SELECT create_distributed_table('telemetry.owners', 'id', colocate_with => 'none', shard_count => 64)
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'telemetry.owners'::regclass);

SELECT create_distributed_table('telemetry.batches', 'owner_id', colocate_with => 'telemetry.owners')
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'telemetry.batches'::regclass);

SELECT create_distributed_table('telemetry.series', 'owner_id', colocate_with => 'telemetry.owners')
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'telemetry.series'::regclass);

SELECT create_distributed_table('telemetry.chunks', 'owner_id', colocate_with => 'telemetry.owners')
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'telemetry.chunks'::regclass);

SELECT create_distributed_table('telemetry.activity', 'sensor_id', colocate_with => 'telemetry.owners')
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'telemetry.activity'::regclass);

SELECT create_distributed_table('telemetry.heartbeats', 'sensor_id', colocate_with => 'telemetry.owners')
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'telemetry.heartbeats'::regclass);

SELECT create_distributed_table('telemetry.errors', 'sensor_id', colocate_with => 'telemetry.owners')
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'telemetry.errors'::regclass);

-- 3. Runs.
SELECT create_distributed_table('metrics.owners', 'id', colocate_with => 'none', shard_count => 64)
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'metrics.owners'::regclass);

SELECT create_distributed_table('metrics.batches', 'owner_id', colocate_with => 'metrics.owners')
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'metrics.batches'::regclass);

SELECT create_distributed_table('metrics.series', 'owner_id', colocate_with => 'metrics.owners')
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'metrics.series'::regclass);

SELECT create_distributed_table('metrics.chunks', 'owner_id', colocate_with => 'metrics.owners')
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'metrics.chunks'::regclass);
