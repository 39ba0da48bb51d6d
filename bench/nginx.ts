/** nginx, twice: as the upstream of everything that is measured, and as what Mintkeeper is compared with. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { body, identityOf, sessionJson } from './answers.ts'

/** Undefined when nginx is not installed. */
export const nginxVersion = (): string | undefined => {
  try {
    // nginx prints its version on stderr.
    return execFileSync('sh', ['-c', 'nginx -v 2>&1'], { encoding: 'utf8' }).replace('nginx version: ', '').trim()
  } catch {
    return undefined
  }
}

/** As root nginx would change to a user who cannot read the folder in which it keeps its cache. */
const user = process.getuid?.() === 0 ? 'user root;' : ''

const frame = (folder: string, http: string): string => `
${user}
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 2048; }
http {
  access_log off;
  server_tokens off;
  keepalive_requests 1000000000;
  keepalive_timeout 300s;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  client_max_body_size 0;
  default_type application/json;
${http}
}
`

/**
 * Answers everything with the same JSON, `echo` with the request's Authorization, `download` with 1 MiB, `upload` when it
 * has read the whole body, and the session check: new cookies are those of a thousand users in turn. Writes the file that it sends into its folder, which must exist.
 */
export const upstreamConfig = (folder: string, port: number): string => {
  const file = path.join(folder, 'download')
  writeFileSync(file, 'x'.repeat(1024 * 1024))
  return frame(
    folder,
    `
  map $http_cookie $number { default 000; ~(?<digits>[0-9][0-9][0-9])$ $digits; }
  server {
    listen 127.0.0.1:${port} backlog=1024;
    location / { return 200 '${body}'; }
    location ~ /echo { return 200 '{"authorization":"$http_authorization"}'; }
    location ~ /download { alias ${file}; }
    location ~ /upload {
      client_body_buffer_size 11m;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      rewrite ^ /read break;
      proxy_pass http://127.0.0.1:${port};
    }
    location = /sessions/whoami {
      add_header X-Kratos-Authenticated-Identity-Id ${identityOf('$number')};
      return 200 '${sessionJson('$number')}';
    }
  }`,
  )
}

/**
 * What begins with `/auth` is proxied after a session check for each request, what begins with `/cached` after one that is
 * kept by its cookie, all else as it is.
 */
export const proxyConfig = (folder: string, port: number, upstream: number): string => {
  // A location with a header of its own inherits none: Connection has to be repeated for keep-alive.
  const pass = `
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_request_buffering off;
      proxy_pass http://app;`
  const check = `
      internal;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Content-Length "";
      proxy_pass_request_body off;
      proxy_pass http://app/sessions/whoami;`
  return frame(
    folder,
    `
  proxy_cache_path ${folder}/cache keys_zone=sessions:16m max_size=64m;
  upstream app { server 127.0.0.1:${upstream}; keepalive 256; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=1024;
    location / {${pass}
    }
    location /auth {
      auth_request /_session;
      auth_request_set $identity $upstream_http_x_kratos_authenticated_identity_id;
      proxy_set_header X-User $identity;${pass}
    }
    location /cached {
      auth_request /_kept_session;
      auth_request_set $identity $upstream_http_x_kratos_authenticated_identity_id;
      proxy_set_header X-User $identity;${pass}
    }
    location = /_session {${check}
    }
    location = /_kept_session {
      proxy_cache sessions;
      proxy_cache_key $cookie_ory_kratos_session;
      proxy_cache_valid 200 1h;${check}
    }
  }`,
  )
}
