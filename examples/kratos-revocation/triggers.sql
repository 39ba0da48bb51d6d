-- Tells Mintkeeper of every change of a session or user in the database of Ory Kratos (PostgreSQL 11 or later), by whatever way
-- it came about. Run it as the owner of Kratos' tables, in their schema; again after an upgrade of Kratos does no harm.
-- To be rid of it: drop function mintkeeper_session_changed, mintkeeper_identity_changed, mintkeeper_address_changed,
-- mintkeeper_truncated cascade;

begin;

create or replace function mintkeeper_session_changed() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
  -- A longer life takes nothing from what is remembered.
  if tg_op = 'UPDATE' and new.expires_at >= old.expires_at
    and to_jsonb(old) - '{expires_at,updated_at}'::text[] = to_jsonb(new) - '{expires_at,updated_at}'::text[]
  then
    return null;
  end if;
  if tg_op = 'UPDATE' and new.active then
    perform pg_notify('mintkeeper_revocations', json_build_object('identity', old.identity_id)::text);
  else
    perform pg_notify('mintkeeper_revocations', json_build_object('session', old.id)::text);
  end if;
  return null;
end
$$;

create or replace function mintkeeper_identity_changed() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
  -- Kratos notes here at logins what it has computed; no session tells it.
  if tg_op = 'UPDATE'
    and to_jsonb(old) - '{available_aal,updated_at}'::text[] = to_jsonb(new) - '{available_aal,updated_at}'::text[]
  then
    return null;
  end if;
  perform pg_notify('mintkeeper_revocations', json_build_object('identity', old.id)::text);
  return null;
end
$$;

create or replace function mintkeeper_address_changed() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
  if tg_op = 'DELETE' or new.verified is distinct from old.verified or new.value is distinct from old.value then
    perform pg_notify('mintkeeper_revocations', json_build_object('identity', old.identity_id)::text);
  end if;
  return null;
end
$$;

create or replace function mintkeeper_truncated() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
  perform pg_notify('mintkeeper_revocations', '{"everything":true}');
  return null;
end
$$;

drop trigger if exists mintkeeper_changed on sessions;
create trigger mintkeeper_changed after update or delete on sessions
  for each row execute function mintkeeper_session_changed();

drop trigger if exists mintkeeper_changed on identities;
create trigger mintkeeper_changed after update or delete on identities
  for each row execute function mintkeeper_identity_changed();

drop trigger if exists mintkeeper_changed on identity_verifiable_addresses;
create trigger mintkeeper_changed after update or delete on identity_verifiable_addresses
  for each row execute function mintkeeper_address_changed();

drop trigger if exists mintkeeper_truncated on sessions;
create trigger mintkeeper_truncated after truncate on sessions
  for each statement execute function mintkeeper_truncated();

drop trigger if exists mintkeeper_truncated on identities;
create trigger mintkeeper_truncated after truncate on identities
  for each statement execute function mintkeeper_truncated();

commit;
