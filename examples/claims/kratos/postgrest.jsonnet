// The database role of PostgREST, and the user's id for row security: current_setting('request.jwt.claims')::json->>'userId'.
local session = std.extVar('session');

{
  claims: {
    role: 'web_user',
    userId: session.identity.id,
    [if std.objectHas(session.identity.traits, 'email') then 'email']: session.identity.traits.email,
  },
}
