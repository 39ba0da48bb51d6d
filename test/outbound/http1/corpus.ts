/** Answers written by hand: what servers send, what they should not send, and what an attacker would. */

export interface Answer {
  readonly name: string
  /** One character a byte. */
  readonly bytes: string
  readonly method?: string
}

const head = (...lines: readonly string[]): string => `${lines.join('\r\n')}\r\n\r\n`
const ok = (...lines: readonly string[]): string => head('HTTP/1.1 200 OK', ...lines)
const sized = (...lines: readonly string[]): string => `${ok('Content-Length: 2', ...lines)}hi`
const chunked = (body: string, ...lines: readonly string[]): string => ok('Transfer-Encoding: chunked', ...lines) + body
const list = (name: string, answers: Readonly<Record<string, string>>, rest: Partial<Answer> = {}): Answer[] =>
  Object.entries(answers).map(([what, bytes]) => ({ name: `${name}: ${what}`, bytes, ...rest }))

const statusLines = list('status line', {
  plain: sized(),
  'HTTP/1.0': head('HTTP/1.0 200 OK', 'Content-Length: 2') + 'hi',
  'HTTP/1.0 until it closes': head('HTTP/1.0 200 OK') + 'until the end',
  'HTTP/1.2': head('HTTP/1.2 200 OK', 'Content-Length: 2') + 'hi',
  'HTTP/2.0': head('HTTP/2.0 200 OK', 'Content-Length: 2') + 'hi',
  'HTTP/0.9': head('HTTP/0.9 200 OK', 'Content-Length: 2') + 'hi',
  'HTTP/11.1': head('HTTP/11.1 200 OK', 'Content-Length: 2') + 'hi',
  'small letters': head('http/1.1 200 OK', 'Content-Length: 2') + 'hi',
  'another protocol': head('ICY 200 OK', 'Content-Length: 2') + 'hi',
  'no reason': head('HTTP/1.1 200 ', 'Content-Length: 2') + 'hi',
  'no reason and no space': head('HTTP/1.1 200', 'Content-Length: 2') + 'hi',
  'a long reason': head(`HTTP/1.1 200 ${'long '.repeat(500)}`, 'Content-Length: 2') + 'hi',
  'a reason above ASCII': head('HTTP/1.1 200 \xe9t\xe9', 'Content-Length: 2') + 'hi',
  'a reason with a tab': head('HTTP/1.1 200 a\tb', 'Content-Length: 2') + 'hi',
  'a reason with NUL': head('HTTP/1.1 200 a\0b', 'Content-Length: 2') + 'hi',
  'a reason with CR': head('HTTP/1.1 200 a\rb', 'Content-Length: 2') + 'hi',
  'a reason with LF': head('HTTP/1.1 200 a\nb', 'Content-Length: 2') + 'hi',
  'a reason with DEL': head('HTTP/1.1 200 a\x7fb', 'Content-Length: 2') + 'hi',
  'two spaces before the status': head('HTTP/1.1  200 OK', 'Content-Length: 2') + 'hi',
  'a tab before the status': head('HTTP/1.1\t200 OK', 'Content-Length: 2') + 'hi',
  'two digits': head('HTTP/1.1 20 OK', 'Content-Length: 2') + 'hi',
  'four digits': head('HTTP/1.1 2000 OK', 'Content-Length: 2') + 'hi',
  'letters as status': head('HTTP/1.1 2x0 OK', 'Content-Length: 2') + 'hi',
  'a negative status': head('HTTP/1.1 -20 OK', 'Content-Length: 2') + 'hi',
  'a status below 100': head('HTTP/1.1 099 OK', 'Content-Length: 2') + 'hi',
  'no status': head('HTTP/1.1', 'Content-Length: 2') + 'hi',
  'an empty line before': `\r\n${sized()}`,
  'a line feed before': `\n${sized()}`,
  'a space before': ` ${sized()}`,
})

const invalidStatus = list('status', {
  600: head('HTTP/1.1 600 Odd', 'Content-Length: 2') + 'hi',
  999: head('HTTP/1.1 999 No', 'Content-Length: 2') + 'hi',
})

const fields = list('fields', {
  none: ok() + 'until the end',
  'many of a name': sized('Set-Cookie: a=1', 'Set-Cookie: b=2', 'set-cookie: c=3'),
  'an empty value': sized('X:', 'Y: ', 'Z:\t \t'),
  'blanks around': sized('X:   a b\t ', 'Y:\t\tc'),
  'above ASCII': sized('X: gr\xfc\xdfe', 'Y: \x80\xff'),
  'all name characters': sized("!#$%&'*+-.^_`|~09AZaz: y"),
  'a tab within': sized('X: a\tb'),
  'a name of one character': sized('x: y'),
  'no colon': sized('X'),
  'an empty name': sized(': y'),
  'a space before the colon': sized('X : y'),
  'a space within the name': sized('X Y: z'),
  'a name above ASCII': sized('X\xfc: y'),
  'a name with NUL': sized('X\0: y'),
  'a name in parentheses': sized('(X): y'),
  'a name with DEL': sized('X\x7f: y'),
  folding: sized('X: a', ' b'),
  'folding with a tab': sized('X: a', '\tb'),
  'folding at once': head('HTTP/1.1 200 OK', ' X: a', 'Content-Length: 2') + 'hi',
  'folding of the length': head('HTTP/1.1 200 OK', 'Content-Length:', ' 2') + 'hi',
  'NUL in a value': sized('X: a\0b'),
  'DEL in a value': sized('X: a\x7fb'),
  'escape in a value': sized('X: a\x1bb'),
  'vertical tab in a value': sized('X: a\vb'),
  'CR in a value': sized('X: a\rb'),
  'CR at the end of a value': sized('X: a\r'),
  'LF in a value': sized('X: a\nY: b'),
  'bare line feeds': 'HTTP/1.1 200 OK\nContent-Length: 2\n\nhi',
  'a bare line feed after the status line': 'HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nhi',
  'a bare line feed as the empty line': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\nhi',
  'a bare line feed before the empty line': 'HTTP/1.1 200 OK\r\nContent-Length: 2\n\r\nhi',
  'bare CRs': 'HTTP/1.1 200 OK\rContent-Length: 2\r\rhi',
  'CR CR LF': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\r\n\r\nhi',
  'LF CR': 'HTTP/1.1 200 OK\n\rContent-Length: 2\n\r\n\rhi',
  'a hundred': sized(...Array.from({ length: 100 }, (_, i) => `X-${i}: ${i}`)),
  'as large as may be': sized(`X: ${'a'.repeat(16_384 - sized('X: ').length + 2)}`),
  'one byte more': sized(`X: ${'a'.repeat(16_384 - sized('X: ').length + 3)}`),
  'as many as may be': sized(...Array.from({ length: 255 }, () => 'x: y')),
  'one more': sized(...Array.from({ length: 256 }, () => 'x: y')),
})

const lengths = list('Content-Length', {
  zero: ok('Content-Length: 0'),
  'leading zeros': ok('Content-Length: 0002') + 'hi',
  'blanks around': ok('Content-Length: \t 2 \t') + 'hi',
  'small letters': ok('content-length: 2') + 'hi',
  'cut off': ok('Content-Length: 3') + 'hi',
  empty: ok('Content-Length:') + 'hi',
  signed: ok('Content-Length: +2') + 'hi',
  negative: ok('Content-Length: -2') + 'hi',
  hexadecimal: ok('Content-Length: 0x2') + 'hi',
  'a fraction': ok('Content-Length: 2.0') + 'hi',
  'with an exponent': ok('Content-Length: 2e0') + 'hi',
  'with a letter': ok('Content-Length: 2a') + 'hi',
  'two numbers': ok('Content-Length: 2 2') + 'hi',
  'a list of equal ones': ok('Content-Length: 2, 2') + 'hi',
  'a list of different ones': ok('Content-Length: 2, 3') + 'hi',
  'twice the same': ok('Content-Length: 2', 'Content-Length: 2') + 'hi',
  'twice, different': ok('Content-Length: 2', 'Content-Length: 3') + 'hi',
  'twice in different letters': ok('Content-Length: 2', 'CONTENT-LENGTH: 3') + 'hi',
  'beyond 2^53': ok('Content-Length: 9007199254740993') + 'hi',
  'beyond 2^64': ok('Content-Length: 18446744073709551618') + 'hi',
  'another name of that length': sized('Content-Lengthy: 3', 'ContentXLength: 4'),
  'a non-ASCII digit': ok('Content-Length: \xb2') + 'hi',
})

const codings = list('Transfer-Encoding', {
  chunked: chunked('2\r\nhi\r\n0\r\n\r\n'),
  'in capitals': ok('TRANSFER-ENCODING: Chunked') + '2\r\nhi\r\n0\r\n\r\n',
  'with Content-Length after': ok('Transfer-Encoding: chunked', 'Content-Length: 2') + '2\r\nhi\r\n0\r\n\r\n',
  'with Content-Length before': ok('Content-Length: 2', 'Transfer-Encoding: chunked') + '2\r\nhi\r\n0\r\n\r\n',
  'with a space before the colon': ok('Content-Length: 2', 'Transfer-Encoding : chunked') + 'hi',
})

const unknownCodings = list('Transfer-Encoding', {
  identity: ok('Transfer-Encoding: identity') + 'hi',
  gzip: ok('Transfer-Encoding: gzip') + 'hi',
  'gzip, chunked': ok('Transfer-Encoding: gzip, chunked') + '2\r\nhi\r\n0\r\n\r\n',
  'chunked, identity': ok('Transfer-Encoding: chunked, identity') + '2\r\nhi\r\n0\r\n\r\n',
  'chunked twice': ok('Transfer-Encoding: chunked, chunked') + '2\r\nhi\r\n0\r\n\r\n',
  'chunked in two lines': ok('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked') + '2\r\nhi\r\n0\r\n\r\n',
  'an empty one': ok('Transfer-Encoding:') + 'hi',
  xchunked: ok('Transfer-Encoding: xchunked') + '2\r\nhi\r\n0\r\n\r\n',
  'chunked in quotes': ok('Transfer-Encoding: "chunked"') + '2\r\nhi\r\n0\r\n\r\n',
  'chunked with a parameter': ok('Transfer-Encoding: chunked;q=1') + '2\r\nhi\r\n0\r\n\r\n',
  'a vertical tab': ok('Transfer-Encoding: \x0bchunked') + '2\r\nhi\r\n0\r\n\r\n',
  'a comma behind': ok('Transfer-Encoding: chunked,') + '2\r\nhi\r\n0\r\n\r\n',
  'identity and a length': ok('Transfer-Encoding: identity', 'Content-Length: 2') + 'hi',
})

const oldChunks = list('HTTP/1.0', {
  'with chunks': head('HTTP/1.0 200 OK', 'Transfer-Encoding: chunked') + '2\r\nhi\r\n0\r\n\r\n',
})

const chunks = list('chunks', {
  several: chunked('1\r\na\r\n2\r\nbc\r\n0\r\n\r\n'),
  none: chunked('0\r\n\r\n'),
  'capital digits': chunked(`A\r\n${'a'.repeat(10)}\r\n0\r\n\r\n`),
  'small digits': chunked(`a\r\n${'a'.repeat(10)}\r\n0\r\n\r\n`),
  'leading zeros': chunked('0002\r\nhi\r\n000\r\n\r\n'),
  'line ends within': chunked('4\r\n\r\n\r\n\r\n0\r\n\r\n'),
  'an extension': chunked('2;a\r\nhi\r\n0\r\n\r\n'),
  'an extension with a value': chunked('2;a=b\r\nhi\r\n0;c=d\r\n\r\n'),
  'an extension with a quoted value': chunked('2;a="b c";d\r\nhi\r\n0\r\n\r\n'),
  'extensions without names': chunked('2;,a\r\nhi\r\n0\r\n\r\n'),
  'an extension with LF': chunked('2;a\nb\r\nhi\r\n0\r\n\r\n'),
  'an extension with CR': chunked('2;a\rb\r\nhi\r\n0\r\n\r\n'),
  'an extension with NUL': chunked('2;a\0b\r\nhi\r\n0\r\n\r\n'),
  'an extension that is quoted and has a line end': chunked('2;a="b\r\nc"\r\nhi\r\n0\r\n\r\n'),
  'extensions without end': chunked(`2;${'a'.repeat(20_000)}\r\nhi\r\n0\r\n\r\n`),
  'no size': chunked('\r\nhi\r\n0\r\n\r\n'),
  'only an extension': chunked(';a\r\nhi\r\n0\r\n\r\n'),
  'a sign': chunked('+2\r\nhi\r\n0\r\n\r\n'),
  'a negative size': chunked('-2\r\nhi\r\n0\r\n\r\n'),
  'a prefix': chunked('0x2\r\nhi\r\n0\r\n\r\n'),
  'a letter': chunked('g\r\nhi\r\n0\r\n\r\n'),
  'a space before': chunked(' 2\r\nhi\r\n0\r\n\r\n'),
  'a space behind': chunked('2 \r\nhi\r\n0\r\n\r\n'),
  'a tab behind': chunked('2\t\r\nhi\r\n0\r\n\r\n'),
  'a bare line feed after the size': chunked('2\nhi\r\n0\r\n\r\n'),
  'a bare line feed after the data': chunked('2\r\nhi\n0\r\n\r\n'),
  'a bare line feed at the end': chunked('2\r\nhi\r\n0\n\n'),
  'a bare line feed as the last line': chunked('2\r\nhi\r\n0\r\n\n'),
  'a CR after the size': chunked('2\rhi\r\n0\r\n\r\n'),
  'CR and something after the size': chunked('2\rX\nhi\r\n0\r\n\r\n'),
  'nothing after the data': chunked('2\r\nhi0\r\n\r\n'),
  'too little data': chunked('3\r\nhi\r\n0\r\n\r\n'),
  'too much data': chunked('1\r\nhi\r\n0\r\n\r\n'),
  'cut in the size': chunked('2'),
  'cut after the size': chunked('2\r\n'),
  'cut in the data': chunked('2\r\nh'),
  'cut after the data': chunked('2\r\nhi\r\n'),
  'cut before the last line': chunked('2\r\nhi\r\n0\r\n'),
  'beyond 2^53': chunked('20000000000001\r\nhi\r\n0\r\n\r\n'),
  'beyond 2^64': chunked('10000000000000002\r\nhi\r\n0\r\n\r\n'),
})

const trailers = list('trailers', {
  one: chunked('2\r\nhi\r\n0\r\nX: y\r\n\r\n', 'Trailer: X'),
  several: chunked('0\r\nX: y\r\nx: z\r\nEmpty:\r\n\r\n'),
  'a length': chunked('0\r\nContent-Length: 5\r\n\r\n'),
  'a space before the colon': chunked('0\r\nX : y\r\n\r\n'),
  'no colon': chunked('0\r\nX\r\n\r\n'),
  folding: chunked('0\r\nX: y\r\n z\r\n\r\n'),
  'a bare line feed': chunked('0\r\nX: y\nZ: a\r\n\r\n'),
  'a bare line feed at the end': chunked('0\r\nX: y\r\n\n'),
  NUL: chunked('0\r\nX: \0\r\n\r\n'),
  'cut off': chunked('0\r\nX: y\r\n'),
})

const interim = list('interim', {
  '100': head('HTTP/1.1 100 Continue') + sized(),
  '103 with hints': head('HTTP/1.1 103 Early Hints', 'Link: </a>; rel=preload') + sized(),
  several: head('HTTP/1.1 102 Processing') + head('HTTP/1.1 103 Early Hints') + sized(),
  'and nothing else': head('HTTP/1.1 103 Early Hints'),
  'of no known meaning': head('HTTP/1.1 199 Odd') + sized(),
  '101 that nobody asked for': head('HTTP/1.1 101 Switching Protocols', 'Upgrade: x', 'Connection: upgrade') + 'bytes',
})

const bodyless = [
  ...list('without a body', {
    '204': head('HTTP/1.1 204 No Content'),
    '304': head('HTTP/1.1 304 Not Modified'),
    '304 with a length': head('HTTP/1.1 304 Not Modified', 'Content-Length: 5'),
    '304 with chunks announced': head('HTTP/1.1 304 Not Modified', 'Transfer-Encoding: chunked'),
    '205': head('HTTP/1.1 205 Reset Content', 'Content-Length: 0'),
  }),
  ...list(
    'HEAD',
    {
      'with a length': ok('Content-Length: 5'),
      'with chunks announced': ok('Transfer-Encoding: chunked'),
      'with nothing': ok(),
      '404': head('HTTP/1.1 404 Not Found', 'Content-Length: 5'),
      'with an interim response': head('HTTP/1.1 103 Early Hints') + ok('Content-Length: 5'),
    },
    { method: 'HEAD' },
  ),
]

const others = list('others', {
  nothing: '',
  'a part of a head': 'HTTP/1.1 200 OK\r\nContent-Len',
  'no HTTP': 'SSH-2.0-OpenSSH_9.6\r\n',
  'no HTTP, and an empty line': '220 mail.example ESMTP\r\n\r\n',
  TLS: '\x15\x03\x01\x00\x02\x02\x46',
  'an HTTP/2 frame': '\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x05\x00\x00\x40\x00',
  'a request': 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'until it closes': ok('Connection: close') + 'until the end',
  'an empty body until it closes': ok('Connection: close'),
  'Keep-Alive': sized('Connection: keep-alive', 'Keep-Alive: timeout=5, max=100'),
  'bytes after the length': `${sized()}more`,
  'bytes after the chunks': `${chunked('2\r\nhi\r\n0\r\n\r\n')}more`,
  'bytes after no body': `${head('HTTP/1.1 204 No Content')}more`,
  'another answer': sized('X: 1') + sized('X: 2'),
  'Keep-Alive without sense': sized('Connection: keep-alive', 'Keep-Alive: timeout=x, ,='),
})

export const corpus: readonly Answer[] = [
  ...statusLines,
  ...invalidStatus,
  ...fields,
  ...lengths,
  ...codings,
  ...unknownCodings,
  ...oldChunks,
  ...chunks,
  ...trailers,
  ...interim,
  ...bodyless,
  ...others,
]
