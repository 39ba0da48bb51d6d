// Hasura v2: session variables where it looks for them by default.
local session = std.extVar('session');
local metadata = std.get(session.identity, 'metadata_public');
local role = if metadata == null then 'user' else std.get(metadata, 'role', 'user');

{
  claims: {
    aud: 'hasura',
    'https://hasura.io/jwt/claims': {
      // Both have to be there, and the default role in the list.
      'x-hasura-default-role': role,
      'x-hasura-allowed-roles': [role],
      // All other values are texts.
      'x-hasura-user-id': session.identity.id,
      'x-hasura-email': session.identity.traits.email,
    },
  },
}
