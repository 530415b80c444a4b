-- Spreads experiments and runs over the workers of a Citus cluster, by project. Not before it is
-- needed: a hundred million rows of parameters are work for one server (docs/operating/scale.md).
--
--   psql "$EXPERIMENT_DATABASE_URL" --single-transaction -v ON_ERROR_STOP=1 \
--     -c "SET runbench.keys_hold_the_project = 'yes'" -f deploy/citus/projects.sql
--
-- It refuses to begin until the keys below hold the project, which is a change of the service: a
-- migration, and the statements that name these keys (ON CONFLICT) or look a row up by its id alone,
-- which would ask every worker. A `needs` line names a key or a reference that Citus refuses as it
-- is now, and what has to become of it; a test compares the lines with the schema.
--
-- needs: experiments_pkey: (project_id, id), beside which experiments_project_key is the same twice
-- needs: runs_pkey: (project_id, id), beside which runs_project_key is the same twice
-- needs: run_params_pkey: (project_id, run_id, key); ON CONFLICT in queries/run_values.py
-- needs: run_tags_pkey: (project_id, run_id, key); ON CONFLICT in queries/run_values.py
-- needs: run_datasets_pkey: (project_id, run_id, name, digest)
-- needs: run_models_pkey: (project_id, run_id, direction, model_id); ON CONFLICT in mlflow/queries.py
-- needs: run_sensors_pkey: (project_id, run_id, sensor_id); ON CONFLICT in queries/run_sensors.py
-- needs: logged_models_pkey: (project_id, id), beside which logged_models_project_key is the same twice
-- needs: logged_model_metrics_pkey: project_id in front
-- needs: capture_sessions_pkey: (project_id, id), beside which capture_sessions_project_key is the same
-- needs: capture_sessions_ordinal_key: (project_id, run_id, ordinal)
-- needs: capture_sessions_active_key: (project_id, run_id) WHERE status = 'running'
-- needs: capture_session_sensors_pkey: (project_id, capture_session_id, sensor_id); ON CONFLICT in queries/captures.py
-- needs: capture_session_events_pkey: (project_id, id)
-- needs: views_pkey: (project_id, id)
-- needs: capture_session_profiles_sensor_fkey: the table gets project_id and lies with the others

DO $$
BEGIN
    IF coalesce(current_setting('runbench.keys_hold_the_project', true), '') <> 'yes' THEN
        RAISE EXCEPTION 'The keys named in deploy/citus/projects.sql do not hold the project yet.';
    END IF;
END
$$;

-- The triggers of runs change the experiment of the same project, on the same worker.
SET citus.enable_unsafe_triggers = on;

-- 1. Sensors may be shared by projects, are few and seldom change: every worker has all of them.
SELECT create_reference_table('experiment.sensors')
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'experiment.sensors'::regclass);

SELECT create_reference_table('experiment.sensor_places')
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'experiment.sensor_places'::regclass);

SELECT create_reference_table('experiment.sensor_signals')
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'experiment.sensor_signals'::regclass);

SELECT create_reference_table('experiment.sensor_tokens')
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'experiment.sensor_tokens'::regclass);

SELECT create_reference_table('experiment.conversion_profiles')
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'experiment.conversion_profiles'::regclass);

-- 2. What belongs to a project, in the order in which it refers to each other.
SELECT create_distributed_table('experiment.experiments', 'project_id', colocate_with => 'none', shard_count => 64)
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'experiment.experiments'::regclass);

SELECT create_distributed_table('experiment.runs', 'project_id', colocate_with => 'experiment.experiments')
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'experiment.runs'::regclass);

SELECT create_distributed_table('experiment.run_params', 'project_id', colocate_with => 'experiment.experiments')
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'experiment.run_params'::regclass);

SELECT create_distributed_table('experiment.run_tags', 'project_id', colocate_with => 'experiment.experiments')
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'experiment.run_tags'::regclass);

SELECT create_distributed_table('experiment.run_datasets', 'project_id', colocate_with => 'experiment.experiments')
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'experiment.run_datasets'::regclass);

SELECT create_distributed_table('experiment.run_sensors', 'project_id', colocate_with => 'experiment.experiments')
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'experiment.run_sensors'::regclass);

SELECT create_distributed_table('experiment.logged_models', 'project_id', colocate_with => 'experiment.experiments')
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'experiment.logged_models'::regclass);

SELECT create_distributed_table('experiment.logged_model_metrics', 'project_id', colocate_with => 'experiment.experiments')
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'experiment.logged_model_metrics'::regclass);

SELECT create_distributed_table('experiment.run_models', 'project_id', colocate_with => 'experiment.experiments')
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'experiment.run_models'::regclass);

SELECT create_distributed_table('experiment.capture_sessions', 'project_id', colocate_with => 'experiment.experiments')
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'experiment.capture_sessions'::regclass);

SELECT create_distributed_table('experiment.capture_session_sensors', 'project_id', colocate_with => 'experiment.experiments')
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'experiment.capture_session_sensors'::regclass);

SELECT create_distributed_table('experiment.capture_session_events', 'project_id', colocate_with => 'experiment.experiments')
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'experiment.capture_session_events'::regclass);

SELECT create_distributed_table('experiment.views', 'project_id', colocate_with => 'experiment.experiments')
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'experiment.views'::regclass);

SELECT create_distributed_table('experiment.project_changes', 'project_id', colocate_with => 'experiment.experiments')
WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = 'experiment.project_changes'::regclass);
