-- Three roles: PostgREST logs in as the first and switches to one of the others, as the token's claim "role" says.
create role authenticator noinherit login;
create role anon nologin;
create role authenticated nologin;
grant anon, authenticated to authenticator;

create schema api;
grant usage on schema api to anon, authenticated;

-- The subject of the token that the request came with; null without one.
create function api.subject() returns uuid language sql stable as $$
  select (nullif(current_setting('request.jwt.claims', true), '')::json ->> 'sub')::uuid
$$;

create table api.notes (
  id bigint generated always as identity primary key,
  owner uuid not null default api.subject(),
  text text not null check (length(text) between 1 and 280),
  created_at timestamptz not null default now()
);
create index on api.notes (owner);

alter table api.notes enable row level security;
create policy own_notes on api.notes to authenticated
  using (owner = api.subject())
  with check (owner = api.subject());
grant select, insert, update, delete on api.notes to authenticated;

create table api.announcements (
  id bigint generated always as identity primary key,
  text text not null
);
grant select on api.announcements to anon, authenticated;
insert into api.announcements (text) values ('Everybody may read this: it needs no session and no token.');
