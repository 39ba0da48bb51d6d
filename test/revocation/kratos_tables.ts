/** The columns of Kratos' migrations that the triggers could look at. */
export const kratosTables = `
  create table identities (id uuid primary key, schema_id varchar(2048) not null, traits jsonb not null,
    state varchar(255) not null default 'active', state_changed_at timestamp, metadata_public jsonb, metadata_admin jsonb,
    available_aal varchar(4), external_id varchar(64), organization_id uuid, nid uuid,
    created_at timestamp not null default now(), updated_at timestamp not null default now());
  create table sessions (id uuid primary key, issued_at timestamp not null default now(), expires_at timestamp not null,
    authenticated_at timestamp not null default now(), token varchar(39), logout_token varchar(39),
    identity_id uuid not null references identities (id) on delete cascade, active boolean default false, aal varchar(4),
    authentication_methods jsonb, nid uuid,
    created_at timestamp not null default now(), updated_at timestamp not null default now());
  create table identity_verifiable_addresses (id uuid primary key, status varchar(16) not null, via varchar(16) not null,
    verified boolean not null, value varchar(400) not null, verified_at timestamp, nid uuid,
    identity_id uuid not null references identities (id) on delete cascade,
    created_at timestamp not null default now(), updated_at timestamp not null default now());
`
