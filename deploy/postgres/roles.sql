-- Roles and databases: the owner migrates, the writer runs, the reader reads (dashboards, queries of
-- your own). A superuser runs it with psql >= 15; running it again sets the passwords again and
-- grants what is missing.
-- Passwords are taken from OWNER_PASSWORD, WRITER_PASSWORD and READER_PASSWORD in the environment.
\set ON_ERROR_STOP on
\getenv owner_password OWNER_PASSWORD
\getenv writer_password WRITER_PASSWORD
\getenv reader_password READER_PASSWORD

SELECT NOT EXISTS (SELECT FROM pg_database WHERE datname = 'riskmetrics') AS is_new \gset
\if :is_new
    CREATE DATABASE riskmetrics;
\endif
\connect riskmetrics
SET log_statement = 'none'; -- keeps the passwords out of the server's log
SET log_min_duration_statement = -1;

-- BEGIN SHARED: plain SQL for the database that it runs in. The embedded server runs it too (riskmetrics/db/roles.py).
-- A superuser runs this. The owner could have put operators of its own into the schema public.
SET search_path = pg_catalog;
DO $$
DECLARE
    missing text;
BEGIN
    FOR missing IN
        SELECT name
        FROM unnest(ARRAY['riskmetrics_owner', 'riskmetrics_writer', 'riskmetrics_reader']) AS name
        WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
    LOOP
        EXECUTE format('CREATE ROLE %I LOGIN', missing);
    END LOOP;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    -- Rows are written through temporary tables.
    EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO riskmetrics_writer', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO riskmetrics_reader', current_database());
END
$$;

-- A dashboard that is left open must neither write nor delay a migration for long.
ALTER ROLE riskmetrics_reader SET default_transaction_read_only = on;
ALTER ROLE riskmetrics_reader SET statement_timeout = '30s';
ALTER ROLE riskmetrics_reader SET idle_in_transaction_session_timeout = '30s';
-- Limits of what a query takes from everybody else. The reader cannot change them: only a superuser can.
ALTER ROLE riskmetrics_reader SET temp_file_limit = '4GB';
-- A query can raise warnings and print plans without end, and quote a gigabyte in an error. They go to its client alone.
ALTER ROLE riskmetrics_reader SET log_min_messages = 'fatal';
ALTER ROLE riskmetrics_reader CONNECTION LIMIT 30;

REVOKE CREATE ON SCHEMA public FROM PUBLIC; -- Postgres 14 grants it
GRANT CREATE ON SCHEMA public TO riskmetrics_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO riskmetrics_writer;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO riskmetrics_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE riskmetrics_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO riskmetrics_writer;
ALTER DEFAULT PRIVILEGES FOR ROLE riskmetrics_owner IN SCHEMA public GRANT SELECT ON TABLES TO riskmetrics_reader;

DO $$
DECLARE
    called regprocedure;
BEGIN
    -- Postgres lets every role call these: they lock out runs, store large objects, write to the log of
    -- transactions, write a file each, and end queries. The reader needs none of them.
    FOR called IN
        SELECT oid::regprocedure
        FROM pg_proc
        WHERE pronamespace = 'pg_catalog'::regnamespace
            AND (proname ~ '^pg_(try_)?advisory_(xact_)?lock'
                OR proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'pg_logical_emit_message',
                    'pg_export_snapshot', 'pg_cancel_backend', 'pg_terminate_backend'))
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', called);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO riskmetrics_owner, riskmetrics_writer', called);
    END LOOP;
    -- The writer takes statistics after it has added many rows; before Postgres 17 only the owner can.
    IF current_setting('server_version_num')::integer >= 170000 THEN
        GRANT MAINTAIN ON ALL TABLES IN SCHEMA public TO riskmetrics_writer;
        ALTER DEFAULT PRIVILEGES FOR ROLE riskmetrics_owner IN SCHEMA public
            GRANT MAINTAIN ON TABLES TO riskmetrics_writer;
    END IF;
END
$$;
-- A DO block can catch the end of its statement_timeout.
REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;
GRANT USAGE ON LANGUAGE plpgsql TO riskmetrics_owner, riskmetrics_writer;
-- END SHARED

ALTER ROLE riskmetrics_owner PASSWORD :'owner_password';
ALTER ROLE riskmetrics_writer PASSWORD :'writer_password';
ALTER ROLE riskmetrics_reader PASSWORD :'reader_password';
\if :is_new
    ALTER DATABASE riskmetrics OWNER TO riskmetrics_owner;
\endif

-- Dagster keeps its runs and events in a database of its own: its revisions and ours would share one alembic_version otherwise.
SELECT 'CREATE DATABASE dagster OWNER riskmetrics_writer'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'dagster') \gexec
REVOKE ALL ON DATABASE dagster FROM PUBLIC;

\connect dagster
REVOKE CREATE ON SCHEMA public FROM PUBLIC; -- Postgres 14 grants it
GRANT CREATE ON SCHEMA public TO riskmetrics_writer;
