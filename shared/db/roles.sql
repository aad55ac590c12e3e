-- The two roles and the database of Maypole, for any PostgreSQL 15 or newer. Safe to repeat.
--
--   MAYPOLE_OWNER_PASSWORD=… MAYPOLE_APP_PASSWORD=… psql -X -U postgres -d postgres -f shared/db/roles.sql
--
-- maypole_owner owns the tables and runs the migrations (MIGRATE_DATABASE_URL); maypole_app is whom the apps and the
-- worker connect as (DATABASE_URL): the migrations grant it what it needs and no more, so that it cannot, for
-- example, rewrite the journal. The embedded PostgreSQL runs this very file.
\set ON_ERROR_STOP on
\set QUIET on
\getenv owner_password MAYPOLE_OWNER_PASSWORD
\getenv app_password MAYPOLE_APP_PASSWORD
\if :{?owner_password} \else
\warn 'set MAYPOLE_OWNER_PASSWORD'
\quit
\endif
\if :{?app_password} \else
\warn 'set MAYPOLE_APP_PASSWORD'
\quit
\endif

SELECT 'CREATE ROLE maypole_owner LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'maypole_owner') \gexec
SELECT 'CREATE ROLE maypole_app LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'maypole_app') \gexec
ALTER ROLE maypole_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
ALTER ROLE maypole_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'app_password';

SELECT 'CREATE DATABASE maypole OWNER maypole_owner ENCODING ''UTF8'' TEMPLATE template0'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'maypole') \gexec
REVOKE ALL ON DATABASE maypole FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE maypole TO maypole_app;
