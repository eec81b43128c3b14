-- Roles and databases: the owner migrates, the writer runs, the reader reads (dashboards). A superuser runs it with psql >= 15;
-- again, it sets the passwords anew and grants what is missing. Passwords are taken from OWNER_PASSWORD, WRITER_PASSWORD and
-- READER_PASSWORD in the environment.
\set ON_ERROR_STOP on
\getenv owner_password OWNER_PASSWORD
\getenv writer_password WRITER_PASSWORD
\getenv reader_password READER_PASSWORD

SET log_statement = 'none'; -- passwords are no matter of the server's log
SET log_min_duration_statement = -1;

SELECT format('CREATE ROLE %I LOGIN', name)
FROM (VALUES ('riskmetrics_owner'), ('riskmetrics_writer'), ('riskmetrics_reader')) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE riskmetrics_owner PASSWORD :'owner_password';
ALTER ROLE riskmetrics_writer PASSWORD :'writer_password';
ALTER ROLE riskmetrics_reader PASSWORD :'reader_password';
-- A dashboard left open must neither write nor hold up a migration for long.
ALTER ROLE riskmetrics_reader SET default_transaction_read_only = on;
ALTER ROLE riskmetrics_reader SET statement_timeout = '30s';
ALTER ROLE riskmetrics_reader SET idle_in_transaction_session_timeout = '30s';

-- Dagster keeps its runs and events in a database of its own: its revisions and ours would share one alembic_version otherwise.
SELECT format('CREATE DATABASE %I OWNER %I', name, owner)
FROM (VALUES ('riskmetrics', 'riskmetrics_owner'), ('dagster', 'riskmetrics_writer')) AS wanted (name, owner)
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name) \gexec
REVOKE ALL ON DATABASE riskmetrics, dagster FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE riskmetrics TO riskmetrics_writer; -- rows go through temporary tables
GRANT CONNECT ON DATABASE riskmetrics TO riskmetrics_reader;

\connect dagster
REVOKE CREATE ON SCHEMA public FROM PUBLIC; -- Postgres 14 grants it
GRANT CREATE ON SCHEMA public TO riskmetrics_writer;

\connect riskmetrics
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT CREATE ON SCHEMA public TO riskmetrics_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO riskmetrics_writer;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO riskmetrics_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE riskmetrics_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO riskmetrics_writer;
ALTER DEFAULT PRIVILEGES FOR ROLE riskmetrics_owner IN SCHEMA public GRANT SELECT ON TABLES TO riskmetrics_reader;
