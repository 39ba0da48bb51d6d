/** What `mintkeeper proxy` was told. All URLs are checked: http or https, without query and fragment. */
import type { HeaderLine } from '../pipeline/contract/headers.ts'

export interface OryProxySettings {
  /** The application. */
  readonly upstream: string
  /** Kratos' public API as the gateway reaches it. */
  readonly kratos: string
  /** Kratos' `serve.public.base_url`: how the URLs begin that it hands out. */
  readonly kratosBaseUrl: string
  readonly host: string
  readonly port: number
  /** Origin under which browsers reach the gateway, when it is not simply the one they ask. */
  readonly publishUrl: string | undefined
  /** Whether the application gets a JWT for the session. */
  readonly jwt: boolean
  /** Domain of all cookies; empty for the host alone that set them. */
  readonly cookieDomain: string
  /** Where redirects to Kratos' welcome page go instead. */
  readonly defaultRedirectUrl: string
  readonly allowedCorsOrigins: readonly string[]
  readonly additionalCorsHeaders: readonly string[]
  /** Whether the application gets its own Host, and the client's as X-Forwarded-Host. */
  readonly rewriteHost: boolean
  /** Added to every request to Kratos. */
  readonly kratosHeaders: readonly HeaderLine[]
  readonly debug: boolean
}
