/** What both programs are given: a config, its rules, and the requests that are sent to each in turn. */
export type HeaderLine = readonly [name: string, value: string]

export interface TestRequest {
  readonly plane: 'proxy' | 'decisions'
  readonly method: string
  /** The request target as it goes on the wire. */
  readonly target: string
  /** In order and spelling of the wire; without Content-Length. */
  readonly headers: readonly HeaderLine[]
  readonly body: string
}

export interface Rule {
  readonly id: string
  readonly match: { readonly url: string; readonly methods: readonly string[] }
  readonly authenticators: readonly object[]
  readonly authorizer: object
  readonly mutators: readonly object[]
  readonly errors?: readonly object[]
  readonly upstream: { readonly url: string; readonly strip_path?: string; readonly preserve_host?: boolean }
}

export interface Scenario {
  /** Family and number; the same for the same seed. */
  readonly id: string
  /** Without listeners and repositories: those differ between the two programs. */
  readonly config: Readonly<Record<string, unknown>>
  readonly rules: readonly Rule[]
  readonly requests: readonly TestRequest[]
}

/** What scenarios speak of and only a run can provide. */
export interface Material {
  /** Of the services that both programs ask, without a slash at the end; nobody listens on `closed`. */
  readonly origins: {
    readonly store: string
    readonly upstream: string
    readonly service: string
    readonly closed: string
  }
  /** URLs of key sets to sign with. */
  readonly signingKeys: readonly string[]
  /** URLs of key sets to verify clients' tokens with. */
  readonly verificationKeys: readonly string[]
  /** Signed tokens of clients, by what is special about them. */
  readonly tokens: Readonly<Record<string, string>>
}
