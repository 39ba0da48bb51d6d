-- Who may connect, and to what. The passwords come from the container's environment.
\getenv authenticator_password AUTHENTICATOR_DB_PASSWORD
\getenv hasura_password HASURA_DB_PASSWORD
\getenv kratos_password KRATOS_DB_PASSWORD

alter role authenticator password :'authenticator_password';
create role kratos login password :'kratos_password';
create role hasura login password :'hasura_password';

-- Hasura decides by its own permissions which rows a user sees; for it, row-level security lets all of them through.
grant usage on schema api to hasura;
grant select, insert, update, delete on api.notes to hasura;
grant select on api.announcements to hasura;
create policy hasura on api.notes to hasura using (true) with check (true);
-- Where Hasura keeps its own tables when it needs some beside the data.
grant create on database app to hasura;

create database kratos owner kratos;
create database hasura owner hasura;
create extension if not exists pgcrypto;
\connect hasura
create extension if not exists pgcrypto;
