import type { Addresses } from '../listeners.ts'
import { JWKS_PATHS, oryProxyConfig, PREFIX } from '../ory_proxy/config.ts'
import { sessionJwt } from '../ory_proxy/session_jwt.ts'
import type { OryProxySettings } from '../ory_proxy/settings.ts'
import type { Gateway } from '../gateway.ts'
import { version } from '../version.ts'
import type { ProxyOptions } from './proxy.ts'
import { serve, url } from './serve_run.ts'
import { GREEN, paint, printProblems, type ExitCode, type Terminal } from './terminal.ts'

/** Runs the proxy until it is told to stop. Config files, if any, lie over what the command line says. */
export async function runProxy(
  terminal: Terminal,
  files: readonly string[],
  application: URL,
  publish: URL | undefined,
  options: ProxyOptions & { readonly port: number },
): Promise<ExitCode> {
  const settings = settingsOf(application, publish, options)
  const base = await oryProxyConfig(settings)
  return serve(terminal, files, { base, handlers: [sessionJwt] }, (to, gateway, addresses) =>
    printBanner(to, gateway, addresses, settings),
  )
}

function settingsOf(
  application: URL,
  publish: URL | undefined,
  options: ProxyOptions & { readonly port: number },
): OryProxySettings {
  const { kratos, kratosBaseUrl = kratos, defaultRedirectUrl } = options
  return {
    upstream: application.href,
    kratos: kratos.href,
    kratosBaseUrl: kratosBaseUrl.href,
    host: options.host,
    port: options.port,
    publishUrl: publish?.origin,
    jwt: options.jwt,
    cookieDomain: options.cookieDomain.replace(/:\d+$/, ''),
    defaultRedirectUrl: defaultRedirectUrl?.href ?? publish?.origin ?? '/',
    allowedCorsOrigins: options.allowedCorsOrigins,
    additionalCorsHeaders: options.additionalCorsHeaders,
    rewriteHost: options.rewriteHost,
    kratosHeaders: options.kratosHeader,
    debug: options.debug,
  }
}

function printBanner(
  terminal: Terminal,
  { problems }: Gateway,
  { proxy, api, metrics }: Addresses,
  settings: OryProxySettings,
): void {
  printProblems(terminal, problems)
  const [own = ''] = (settings.publishUrl ?? url(proxy)).split(' ')
  const name = paint(`Mintkeeper ${version}`, GREEN, terminal.colorErr)
  terminal.err(
    `${name} (proxy of an application and Kratos)\n` +
      `  proxy    ${url(proxy)}\n  API      ${url(api)}\n  metrics  ${url(metrics)}\n` +
      `  ${own}/ is ${settings.upstream}\n  ${own}${PREFIX}/ is Kratos at ${settings.kratos}\n` +
      (settings.jwt ? `  ${own}${JWKS_PATHS[0]} has the keys of the JWTs\n` : ''),
  )
}
