/** Sound configs and rules, those that are shipped among them. No address in them leaves this machine. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

export interface Original {
  readonly name: string
  readonly config: object
  readonly rules: readonly object[]
}

const nowhere = 'http://127.0.0.1:9'

function shipped(name: string, configFile: string, ruleFiles: readonly string[]): Original {
  const read = (file: string): unknown =>
    parse(
      readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
        .replaceAll(/https?:\/\/(kratos|oathkeeper|hasura|postgrest|hydra|127\.0\.0\.1)[^/"'<>{}\s]*/g, nowhere)
        .replaceAll(/\$\{JWKS_URL:-[^}]*\}|file:\/\/\S*jwks\S*/g, keySet),
    )
  return {
    name,
    config: read(configFile) as object,
    rules: ruleFiles.flatMap((file) => read(file) as object[]),
  }
}

/** HS256, so that every document can carry it. */
const keySet = `base64://${Buffer.from('{"keys":[{"kty":"oct","alg":"HS256","use":"sig","kid":"k","k":"YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE"}]}').toString('base64')}`

const on = (config?: object): object => ({ enabled: true, ...(config !== undefined && { config }) })
const retry = { give_up_after: '100ms', max_delay: '10ms' }

const everything: Original = {
  name: 'every handler',
  config: {
    log: { level: 'debug', format: 'json' },
    serve: {
      proxy: { cors: { enabled: true, allowed_origins: ['https://*.example.com'] }, timeout: { read: '5s' } },
      prometheus: { collapse_request_paths: false },
    },
    templates: { allow_functions: ['env'] },
    kratos: { public_url: nowhere, cookie: 'ory_kratos_session' },
    authenticators: {
      noop: on(),
      anonymous: on({ subject: 'guest' }),
      unauthorized: on(),
      cookie_session: on({
        check_session_url: `${nowhere}/sessions/whoami`,
        preserve_path: true,
        cache: { ttl: '1m' },
      }),
      bearer_token: on({ check_session_url: `${nowhere}/sessions/whoami`, token_from: { header: 'X-Token' } }),
      jwt: on({ jwks_urls: [keySet], required_scope: ['a'], scope_strategy: 'wildcard', trusted_issuers: [nowhere] }),
      oauth2_introspection: on({
        introspection_url: `${nowhere}/introspect`,
        retry,
        cache: { enabled: true, ttl: '1m' },
      }),
      oauth2_client_credentials: on({ token_url: `${nowhere}/token`, retry }),
    },
    authorizers: {
      allow: on(),
      deny: on(),
      remote: on({ remote: `${nowhere}/authorize`, headers: { 'X-Subject': '{{ print .Subject }}' }, retry }),
      remote_json: on({ remote: nowhere, payload: '{"subject":"{{ print .Subject }}"}', retry }),
      keto_engine_acp_ory: on({
        base_url: nowhere,
        required_action: 'get',
        required_resource: 'a:{{ printIndex .MatchContext.RegexpCaptureGroups 0 }}',
      }),
    },
    mutators: {
      noop: on(),
      header: on({ headers: { 'X-User': '{{ print .Subject }}', 'X-Home': '{{ env "HOME" }}' } }),
      cookie: on({ cookies: { user: '{{ print .Subject }}' } }),
      hydrator: on({ api: { url: nowhere, retry } }),
      id_token: on({ issuer_url: nowhere, jwks_url: keySet, ttl: '5m', claims: '{"session": {{ .Extra | toJson }}}' }),
    },
    errors: {
      fallback: ['json', 'redirect'],
      handlers: {
        json: on({ verbose: true, when: [{ error: ['not_found'] }] }),
        redirect: on({ to: `${nowhere}/login`, when: [{ request: { header: { accept: ['text/html'] } } }] }),
        www_authenticate: on({ realm: 'r' }),
      },
    },
  },
  rules: [
    {
      id: 'a',
      version: 'v0.36.0-beta.4',
      upstream: { url: `${nowhere}/base`, strip_path: '/a', preserve_host: true },
      match: { url: '<https?>://<[^/]+>/a/<.*>', methods: ['GET', 'POST'] },
      authenticators: [{ handler: 'jwt' }, { handler: 'cookie_session', on_error: 'next' }, { handler: 'anonymous' }],
      authorizer: { handler: 'remote_json', config: { payload: '{}' } },
      mutators: [
        { handler: 'header', config: { headers: { 'X-Extra': '{{ .Extra.name }}' } } },
        { handler: 'id_token' },
      ],
      errors: [{ handler: 'json', config: { when: [{ error: ['unauthorized'] }] } }],
    },
    {
      id: 'b',
      upstream: { url: nowhere },
      match: { url: 'http://h/b', methods: ['GET'] },
      authenticators: [{ handler: 'noop' }],
      before_authorizer: [{ handler: 'hydrator' }],
      authorizer: [{ handler: 'allow' }, { handler: 'keto_engine_acp_ory' }],
      mutators: [{ handler: 'cookie' }, { handler: 'noop' }],
    },
  ],
}

export const originals: readonly Original[] = [
  everything,
  shipped('the compose stack', 'mintkeeper.yaml', ['rules/kratos.yaml', 'rules/postgrest.yaml', 'rules/hasura.yaml']),
  shipped('the quickstart of Kratos', 'examples/kratos-quickstart/oathkeeper.yml', [
    'examples/kratos-quickstart/access-rules.yml',
  ]),
]
