-- In which change of its project a session ended with its run: what ended in a change is told in the
-- same transaction. Only the trigger writes it.
ALTER TABLE capture_sessions ADD COLUMN ended_in_change bigint;

-- Empty when it is made; recordings are few, so reading them once takes no time.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX capture_sessions_ended ON capture_sessions (project_id, ended_in_change)
    WHERE ended_in_change IS NOT NULL;

-- As before, and a session whose time was over by then ended by its time, whoever notices first.
CREATE OR REPLACE FUNCTION stop_capture_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE experiment.capture_sessions
    SET status = 'stopped', version = version + 1,
        stop_reason = CASE WHEN stop_at <= NEW.status_changed_at THEN 'time' ELSE 'run' END,
        stopped_at = greatest(started_at, least(NEW.status_changed_at, stop_at)),
        ended_in_change = NEW.change
    WHERE run_id = NEW.id AND status = 'running';
    RETURN NULL;
END
$$;
