/** Caddy, which asks about the session with forward_auth, beside nginx and Mintkeeper. */
import { execFileSync } from 'node:child_process'

/** Undefined when Caddy is not installed. */
export const caddyVersion = (): string | undefined => {
  try {
    return `caddy ${execFileSync('caddy', ['version'], { encoding: 'utf8' }).trim().split(' ')[0]}`
  } catch {
    return undefined
  }
}

/** A Caddyfile: everything is proxied after a session check for each request. */
export const caddyfile = (port: number, upstream: number): string => `
{
  admin off
  auto_https off
  log {
    level ERROR
  }
}
http://127.0.0.1:${port} {
  bind 127.0.0.1
  forward_auth 127.0.0.1:${upstream} {
    uri /sessions/whoami
    copy_headers X-Kratos-Authenticated-Identity-Id>X-User
  }
  reverse_proxy 127.0.0.1:${upstream}
}
`
