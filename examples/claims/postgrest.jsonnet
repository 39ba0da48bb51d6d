// PostgREST and PostGraphile: the database role to switch to, and what policies may ask for.
local session = std.extVar('session');
local metadata = std.get(session.identity, 'metadata_public');

{
  claims: {
    aud: ['postgrest', 'postgraphile'],
    // A role of the database, granted to the one that the server logs in with.
    role: if metadata == null then 'authenticated' else std.get(metadata, 'role', 'authenticated'),
    email: session.identity.traits.email,
    aal: session.authenticator_assurance_level,
  },
}
