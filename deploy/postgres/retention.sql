-- Delete Dagster's events inside steps more than 90 days ago: psql --dbname dagster --file
-- retention.sql, or with --set days=30. Runs stay, and the events of materialized sessions, checks
-- and failures.
\set ON_ERROR_STOP on
\if :{?days}
\else
    \set days 90
\endif
DELETE FROM event_logs
WHERE timestamp < (now() AT TIME ZONE 'UTC') - make_interval(days => :days)
    AND (dagster_event_type IS NULL -- what was logged
        OR dagster_event_type IN ('ENGINE_EVENT', 'HANDLED_OUTPUT', 'LOADED_INPUT', 'LOGS_CAPTURED', 'STEP_INPUT', 'STEP_OUTPUT', 'STEP_START',
            'STEP_SUCCESS', 'STEP_WORKER_STARTED', 'STEP_WORKER_STARTING')
        OR dagster_event_type LIKE 'RESOURCE\_INIT\_%');
