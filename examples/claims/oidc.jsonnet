// A profile as OpenID Connect names it (Core 1.0, section 5.1), for services that know nothing of Kratos.
local session = std.extVar('session');
local name = session.identity.traits.name;
// An address and whether it is verified come from the same place; which one is first is up to Kratos' identity schema.
local address = session.identity.verifiable_addresses[0];

{
  claims: {
    aud: 'services',
    sid: session.id,
    acr: session.authenticator_assurance_level,
    name: name.first + ' ' + name.last,
    given_name: name.first,
    family_name: name.last,
    email: address.value,
    email_verified: address.verified,
  },
}
