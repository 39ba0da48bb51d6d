import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

const root = path.join(import.meta.dirname, '..', 'src')

/** Lower layers never import higher ones. A file belongs to the first entry whose prefix fits. */
const LAYERS: readonly (readonly [layer: number, prefix: string])[] = [
  [0, 'errors.ts'],
  [0, 'version.ts'],
  [1, 'languages/'],
  [1, 'documents/'],
  [1, 'telemetry/'],
  [2, 'pipeline/contract/'],
  [3, 'outbound/'],
  [3, 'oauth2/'],
  [3, 'tokens/'],
  [3, 'sessions/'],
  [3, 'revocation/'],
  [3, 'rules/'],
  [6, 'pipeline/builtin.ts'],
  [6, 'pipeline/compile'],
  [6, 'pipeline/decide.ts'],
  [6, 'pipeline/snapshot.ts'],
  [6, 'pipeline/answer_error.ts'],
  [5, 'pipeline/authenticators/'],
  [5, 'pipeline/authorizers/'],
  [5, 'pipeline/mutators/'],
  [5, 'pipeline/error_handlers/'],
  [4, 'pipeline/'],
  [7, 'config/'],
  [8, 'proxy/'],
  // The API plane's /decisions shares the front gate of the proxy, so that both see one canonical request.
  [9, 'api/'],
  [10, 'api_tokens.ts'],
  [10, 'boot_keys.ts'],
  [10, 'certificates.ts'],
  [10, 'revocation_layers.ts'],
  [10, 'load.ts'],
  [10, 'planes.ts'],
  [10, 'listeners.ts'],
  [10, 'gateway.ts'],
  [11, 'workers/'],
  [11, 'ory_proxy/'],
  [11, 'index.ts'],
  [12, 'cli/'],
  [13, 'bin.ts'],
]

/** Helpers of the pipeline that the layers below its handlers share; they import nothing but the contract. */
const SHARED_HELPERS = new Set([
  'pipeline/credentials.ts',
  'pipeline/resume.ts',
  'pipeline/template_data.ts',
  'pipeline/template_hint.ts',
])

const HANDLERS = /^pipeline\/(authenticators|authorizers|mutators|error_handlers)\//

interface Import {
  readonly from: string
  readonly to: string
}

const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
const sources = new Map(files.map((file) => [file, readFileSync(path.join(root, file), 'utf8')]))
const imports: readonly Import[] = [...sources].flatMap(([from, text]) =>
  [...text.matchAll(/(?:from|import\()\s*'([^']+)'/g)].map(([, to = '']) => ({
    from,
    to: to.startsWith('.') ? path.join(path.dirname(from), to) : to,
  })),
)
const layerOf = (file: string): number | undefined => LAYERS.find(([, prefix]) => file.startsWith(prefix))?.[0]

describe('architecture', () => {
  it('looks at the whole source tree', () => {
    expect(files.length).toBeGreaterThan(50)
    expect(imports.length).toBeGreaterThan(files.length)
    expect(files.filter((file) => layerOf(file) === undefined)).toEqual([])
  })

  it('has no import from a lower layer to a higher one', () => {
    const wrong = imports.filter(
      ({ from, to }) =>
        files.includes(to) &&
        !SHARED_HELPERS.has(to) &&
        (layerOf(from) ?? 0) < (layerOf(to) ?? Number.POSITIVE_INFINITY),
    )
    expect(wrong).toEqual([])
  })

  it('keeps handlers apart from each other, from HTTP frameworks and from the planes', () => {
    const wrong = imports.filter(
      ({ from, to }) =>
        HANDLERS.test(from) &&
        (HANDLERS.test(to) || /^(hono|@hono\/|undici|node:http$)/.test(to)) &&
        // STATUS_CODES is a table of names, not a server.
        !/import \{ STATUS_CODES \} from 'node:http'/.test(sources.get(from) ?? ''),
    )
    expect(wrong).toEqual([])
  })

  it('keeps each language self-contained', () => {
    const wrong = imports.filter(({ from, to }) => {
      const language = /^languages\/[^/]+\//.exec(from)?.[0]
      return language !== undefined && files.includes(to) && !to.startsWith(language)
    })
    expect(wrong).toEqual([])
  })

  it('prints and exits in the command line only', () => {
    const wrong = [...sources].filter(
      ([file, text]) =>
        !/^(cli\/|bin\.ts)/.test(file) && /\bconsole\.|process\.(exit\(|exitCode|stdout|stderr)/.test(text),
    )
    expect(wrong.map(([file]) => file)).toEqual([])
  })
})
