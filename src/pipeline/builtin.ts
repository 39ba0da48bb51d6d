/** The handlers that ship. A new one is a file beside its kin and a line here. */
import { anonymous } from './authenticators/anonymous.ts'
import { bearerToken } from './authenticators/bearer_token.ts'
import { cookieSession } from './authenticators/cookie_session.ts'
import { noop as noopAuthenticator } from './authenticators/noop.ts'
import { unauthorized } from './authenticators/unauthorized.ts'
import { allow } from './authorizers/allow.ts'
import { deny } from './authorizers/deny.ts'
import type { AnyHandler } from './contract.ts'
import { json } from './error_handlers/json.ts'
import { redirect } from './error_handlers/redirect.ts'
import { wwwAuthenticate } from './error_handlers/www_authenticate.ts'
import { cookie } from './mutators/cookie.ts'
import { header } from './mutators/header.ts'
import { idToken } from './mutators/id_token.ts'
import { noop as noopMutator } from './mutators/noop.ts'

export const builtinHandlers: readonly AnyHandler[] = [
  anonymous,
  bearerToken,
  cookieSession,
  noopAuthenticator,
  unauthorized,
  allow,
  deny,
  cookie,
  header,
  idToken,
  noopMutator,
  json,
  redirect,
  wwwAuthenticate,
]
