-- Published for other services: where an experiment belongs, also before it has a run.
CREATE VIEW experiment_projects AS
SELECT id AS experiment_id, project_id FROM experiments;
COMMENT ON VIEW experiment_projects IS
    'Published for other services: each experiment and its project.';
