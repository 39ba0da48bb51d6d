/** The handlers that ship. A new one is a file beside its kin and a line here. */
import { anonymous } from './authenticators/anonymous.ts'
import { bearerToken } from './authenticators/bearer_token.ts'
import { cookieSession } from './authenticators/cookie_session.ts'
import { jwt } from './authenticators/jwt.ts'
import { noop as noopAuthenticator } from './authenticators/noop.ts'
import { oauth2ClientCredentials } from './authenticators/oauth2_client_credentials.ts'
import { oauth2Introspection } from './authenticators/oauth2_introspection.ts'
import { unauthorized } from './authenticators/unauthorized.ts'
import { allow } from './authorizers/allow.ts'
import { deny } from './authorizers/deny.ts'
import { ketoEngineAcpOry } from './authorizers/keto_engine_acp_ory.ts'
import { remote } from './authorizers/remote.ts'
import { remoteJson } from './authorizers/remote_json.ts'
import type { AnyHandler } from './contract/handler.ts'
import { json } from './error_handlers/json.ts'
import { redirect } from './error_handlers/redirect.ts'
import { stepUp } from './error_handlers/step_up.ts'
import { wwwAuthenticate } from './error_handlers/www_authenticate.ts'
import { cookie } from './mutators/cookie.ts'
import { header } from './mutators/header.ts'
import { hydrator } from './mutators/hydrator.ts'
import { idToken } from './mutators/id_token.ts'
import { noop as noopMutator } from './mutators/noop.ts'

export const builtinHandlers: readonly AnyHandler[] = [
  anonymous,
  bearerToken,
  cookieSession,
  jwt,
  noopAuthenticator,
  oauth2ClientCredentials,
  oauth2Introspection,
  unauthorized,
  allow,
  deny,
  ketoEngineAcpOry,
  remote,
  remoteJson,
  cookie,
  header,
  hydrator,
  idToken,
  noopMutator,
  json,
  redirect,
  stepUp,
  wwwAuthenticate,
]
