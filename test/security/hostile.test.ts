/**
 * Hostile patterns and templates in rules end at their limits while other requests go on. Both are measured in the same
 * run: what each hostile request takes, and how long requests of a sound rule wait meanwhile.
 */
import { describe, expect, it } from 'vitest'
import { loadGateway, startGateway } from '../support/gateway.ts'
import { startServer } from '../support/http_server.ts'

const on = { enabled: true }
const config = {
  authenticators: { anonymous: on },
  authorizers: { allow: on },
  mutators: { noop: on, header: { enabled: true, config: { headers: {} } } },
}

const rule = (id: string, url: string, upstream: string, template?: string): object => ({
  id,
  match: { url, methods: ['GET'] },
  authenticators: [{ handler: 'anonymous' }],
  authorizer: { handler: 'allow' },
  mutators: [
    template === undefined ? { handler: 'noop' } : { handler: 'header', config: { headers: { 'X-A': template } } },
  ],
  upstream: { url: upstream },
})

/** Patterns that backtrack without end on what follows `/NAME/` in the path. */
const patterns = {
  nested: ['<(a+)+[bc]+x>', 'a'.repeat(2000)],
  alternatives: ['<(a|aa|a?)+b>', 'a'.repeat(2000)],
  lookaround: ['<(?=(a+)+$)(a*)*b>', 'a'.repeat(2000)],
  backreference: ['<(a*)(a*)(a*)(a*)\\1\\2\\3\\4b>', 'a'.repeat(500)],
  stars: ['<.*.*.*.*.*.*.*x>', 'a'.repeat(2000)],
} as const

const templates = {
  recursion: '{{ define "T" }}{{ template "T" . }}{{ template "T" . }}{{ end }}{{ template "T" . }}',
  loops: '{{ range until 1000 }}{{ range until 1000 }}{{ range until 1000 }}{{ end }}{{ end }}{{ end }}',
  output: '{{ $x := repeat 100000 "x" }}{{ range until 100 }}{{ $x }}{{ end }}',
  doubling: `{{ $x := "xxxxxxxx" }}${'{{ $x = printf "%s%s" $x $x }}'.repeat(60)}`,
  printing: '{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ $d }}',
  // Reads the request, so that it cannot be rendered once for all.
  request: '{{ range until 10000 }}{{ range until 10000 }}{{ $.MatchContext.URL.Path }}{{ end }}{{ end }}',
} as const

/** Generous: on a quiet machine a hostile request takes a few milliseconds. Without limits none of them would end. */
const AT_MOST = 2000

describe('hostile patterns and templates', () => {
  it('tpl-012: end at their limits while other requests go on', async () => {
    await using upstream = await startServer((_request, response) => response.end('ok'))
    await using gateway = await startGateway({
      config,
      rules: [
        rule('sound', 'http://<[^/]+>/sound/<[0-9]+>', upstream.url, '{{ .MatchContext.URL.Path }}'),
        ...Object.entries(patterns).map(([name, [pattern]]) =>
          rule(`pattern-${name}`, `http://<[^/]+>/${name}/${pattern}`, upstream.url),
        ),
        ...Object.entries(templates).map(([name, template]) =>
          rule(`template-${name}`, `http://<[^/]+>/template/${name}`, upstream.url, template),
        ),
      ],
    })
    const timed = async (path: string): Promise<{ path: string; status: number; took: number }> => {
      const start = performance.now()
      const response = await fetch(gateway.proxy + path)
      await response.arrayBuffer()
      return { path, status: response.status, took: performance.now() - start }
    }
    const over = new AbortController()
    const sound: Awaited<ReturnType<typeof timed>>[] = []
    const goOn = async (): Promise<void> => {
      while (!over.signal.aborted) sound.push(await timed(`/sound/${sound.length}`))
    }
    const others = Promise.all([goOn(), goOn()])
    const hostile: Awaited<ReturnType<typeof timed>>[] = []
    for (const path of [
      ...Object.entries(patterns).map(([name, [, text]]) => `/${name}/${text}`),
      ...Object.keys(templates).map((name) => `/template/${name}`),
    ]) {
      const before = sound.length
      hostile.push(await timed(path))
      // The next attack waits until others had their turn, so that each of them is seen beside it.
      await expect.poll(() => sound.length, { interval: 1, timeout: AT_MOST }).toBeGreaterThan(before)
    }
    over.abort()
    await others

    expect(sound.map(({ status }) => status)).toEqual(sound.map(() => 200))
    expect(hostile.filter(({ status }) => status !== 500)).toEqual([])
    expect(Math.max(...hostile.map(({ took }) => took))).toBeLessThan(AT_MOST)
    expect(Math.max(...sound.map(({ took }) => took))).toBeLessThan(AT_MOST)
    expect(upstream.requests.every(({ url }) => url?.startsWith('/sound/') === true)).toBe(true)
    const codes = gateway.log.map((line) => (JSON.parse(line) as { reason?: string }).reason)
    expect(codes.filter((code) => code === 'rule_matching_failed')).toHaveLength(Object.keys(patterns).length)
    expect(codes.filter((code) => code === 'template_failed')).toHaveLength(Object.keys(templates).length)
  })

  it.each([
    ['template', `{{ ${'('.repeat(50_000)}1${')'.repeat(50_000)} }}`, 'http://h/<.*>'],
    ['pattern', undefined, `http://h/<${'('.repeat(50_000)}a${')'.repeat(50_000)}>`],
  ])('a %s that is nested too deeply is refused when it is loaded', async (_what, template, url) => {
    await using test = await loadGateway({ config, rules: [rule('deep', url, 'http://127.0.0.1:9', template)] })
    expect(test.gateway.problems).toMatchObject([{ severity: 'error' }])
  })
})
