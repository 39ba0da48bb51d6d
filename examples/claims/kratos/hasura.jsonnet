// Hasura's session variables, as a claims mapper of Kratos has them. Roles come from metadata_public: users cannot change it.
local session = std.extVar('session');
local metadata = if session.identity.metadata_public == null then {} else session.identity.metadata_public;
local roles = std.get(metadata, 'roles', []);

{
  claims: {
    'https://hasura.io/jwt/claims': {
      'x-hasura-user-id': session.identity.id,
      'x-hasura-default-role': 'user',
      'x-hasura-allowed-roles': std.setUnion(std.set(roles), ['user']),
      'x-hasura-aal': session.authenticator_assurance_level,
    },
  },
}
