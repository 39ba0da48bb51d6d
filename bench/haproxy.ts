/** HAProxy as a plain proxy, beside nginx. */
import { execFileSync } from 'node:child_process'

/** Undefined when HAProxy is not installed. */
export const haproxyVersion = (): string | undefined => {
  try {
    const [, version] = /version (\S+?)(?:-|\s)/.exec(execFileSync('haproxy', ['-v'], { encoding: 'utf8' })) ?? []
    return `haproxy ${version}`
  } catch {
    return undefined
  }
}

export const haproxyConfig = (port: number, upstream: number): string => `
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend all
  bind 127.0.0.1:${port}
  default_backend upstream
backend upstream
  http-reuse always
  server upstream 127.0.0.1:${upstream}
`
