// The whole session as a claim, and an issuer that is extended.
local claims = std.extVar('claims');
local session = std.extVar('session');

{
  claims: {
    iss: claims.iss + 'tokens',
    aud: ['my-api'],
    session: session,
  },
}
