import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BodyRewriter, isRewritable, type Replacement } from '../../../src/proxy/rewrite/body.ts'

const kratos: Replacement = { from: 'http://127.0.0.1:4433', to: 'http://localhost:4000/.ory' }
const welcome: Replacement = { from: 'http://127.0.0.1:4433/ui/welcome', to: 'https://app.example' }

function rewrite(chunks: readonly string[], replacements: readonly Replacement[] = [kratos]): string {
  const rewriter = new BodyRewriter(replacements)
  return [...chunks.map((chunk) => rewriter.write(Buffer.from(chunk, 'latin1'))), rewriter.end()]
    .map((part) => part.toString('latin1'))
    .join('')
}

describe('URLs in bodies', () => {
  it.each([
    ['"http://127.0.0.1:4433/self-service/login?flow=1"', '"http://localhost:4000/.ory/self-service/login?flow=1"'],
    ['http://127.0.0.1:4433', 'http://localhost:4000/.ory'],
    ['http://127.0.0.1:4433?x', 'http://localhost:4000/.ory?x'],
    ['<http://127.0.0.1:4433><http://127.0.0.1:4433>', '<http://localhost:4000/.ory><http://localhost:4000/.ory>'],
    // Other hosts, however much alike.
    ['http://127.0.0.1:44330/', 'http://127.0.0.1:44330/'],
    ['http://127.0.0.1:4433@evil.example/', 'http://127.0.0.1:4433@evil.example/'],
    ['http://127.0.0.1:443', 'http://127.0.0.1:443'],
    ['httphttp://127.0.0.1:4433/', 'httphttp://localhost:4000/.ory/'],
    ['', ''],
    ['h', 'h'],
  ])('%s', (body, expected) => {
    expect(rewrite([body])).toBe(expected)
  })

  it('takes the first replacement that fits', () => {
    const both = [welcome, kratos]
    expect(rewrite(['http://127.0.0.1:4433/ui/welcome http://127.0.0.1:4433/ui/welcomes'], both)).toBe(
      'https://app.example http://localhost:4000/.ory/ui/welcomes',
    )
  })

  it('does the same however the body is cut into chunks', () => {
    const piece = fc.constantFrom(
      'h',
      'ht',
      'http',
      ':',
      '//127.0.0.1:4433',
      '0',
      '/',
      '/ui/welcome',
      '"',
      ' ',
      'é',
      '@',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), fc.array(fc.nat(8)), (pieces, cuts) => {
        const text = pieces.join('')
        const chunks: string[] = []
        let at = 0
        for (const cut of cuts) chunks.push(text.slice(at, (at += cut)))
        chunks.push(text.slice(at))
        expect(rewrite(chunks, [welcome, kratos])).toBe(
          text
            .replaceAll(/http:\/\/127\.0\.0\.1:4433\/ui\/welcome(?![A-Za-z0-9._~%:@-])/g, welcome.to)
            .replaceAll(/http:\/\/127\.0\.0\.1:4433(?![A-Za-z0-9._~%:@-])/g, kratos.to),
        )
      }),
    )
  })

  it('holds back no more than what may be the beginning of one', () => {
    const rewriter = new BodyRewriter([kratos])
    expect(rewriter.write(Buffer.from('data: {}\n\n')).toString()).toBe('data: {}\n\n')
    expect(rewriter.write(Buffer.from('see http://127.')).toString()).toBe('see ')
    expect(rewriter.write(Buffer.from('1.2.3/')).toString()).toBe('http://127.1.2.3/')
  })
})

describe('which bodies are text', () => {
  it.each([
    ['application/json; charset=utf-8', undefined, 200, true],
    ['application/problem+json', 'identity', 400, true],
    ['text/html', undefined, 200, true],
    ['text/event-stream', undefined, 200, true],
    ['application/javascript', undefined, 200, true],
    ['image/svg+xml', undefined, 200, false],
    ['application/octet-stream', undefined, 200, false],
    [undefined, undefined, 200, false],
    ['application/json', 'gzip', 200, false],
    ['application/json', undefined, 206, false],
  ])('%s, encoded %s, with %i: %s', (type, encoding, status, expected) => {
    const headers = {
      ...(type !== undefined && { 'content-type': type }),
      ...(encoding !== undefined && { 'content-encoding': encoding }),
    }
    expect(isRewritable(headers, status)).toBe(expected)
  })
})
