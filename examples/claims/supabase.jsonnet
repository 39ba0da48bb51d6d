// Supabase: what its own tokens say. Its APIs take the role; policies read the rest through auth.jwt().
local session = std.extVar('session');
local metadata = std.get(session.identity, 'metadata_public');

{
  claims: {
    aud: 'authenticated',
    role: 'authenticated',
    aal: session.authenticator_assurance_level,
    session_id: session.id,
    email: session.identity.traits.email,
    phone: '',
    is_anonymous: false,
    // What administrators say of users may decide about access, what users say of themselves must not.
    app_metadata: {
      provider: 'kratos',
      role: if metadata == null then 'user' else std.get(metadata, 'role', 'user'),
    },
    user_metadata: session.identity.traits,
  },
}
