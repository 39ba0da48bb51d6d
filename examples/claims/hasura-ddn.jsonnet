// Hasura DDN (v3) and RelyAuth: the namespace of their documentation. Names are in lower case; values may be of any kind.
local session = std.extVar('session');
local metadata = std.get(session.identity, 'metadata_public');
local role = if metadata == null then 'user' else std.get(metadata, 'role', 'user');

{
  claims: {
    aud: 'hasura-ddn',
    'claims.jwt.hasura.io': {
      // Both have to be there, and the default role in the list.
      'x-hasura-default-role': role,
      'x-hasura-allowed-roles': [role],
      'x-hasura-user-id': session.identity.id,
      'x-hasura-email': session.identity.traits.email,
    },
  },
}
