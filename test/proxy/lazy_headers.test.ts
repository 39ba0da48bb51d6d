/** Headers that are made when somebody asks: node's own, whatever is asked of them and in whatever order. */
import { createServer, IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Socket } from 'node:net'
import { array, assert, boolean, constantFrom, property, tuple } from 'fast-check'
import { expect, it } from 'vitest'
import { PausableRequest } from '../../src/proxy/pausable_request.ts'
import { sendRaw } from '../support/raw-client.ts'

type Filled = IncomingMessage & { _addHeaderLines(lines: readonly string[], count: number): void }

/** As the parser fills it. */
function received(Kind: typeof IncomingMessage, lines: readonly string[]): IncomingMessage {
  const request = new Kind(new Socket()) as Filled
  // eslint-disable-next-line no-underscore-dangle -- node's name
  request._addHeaderLines(lines, lines.length)
  return request
}

const looked = ['expect', 'content-length', 'transfer-encoding', 'te', 'trailer', 'upgrade']
const others = [
  'host',
  'cookie',
  'set-cookie',
  'authorization',
  'x-a',
  'user-agent',
  'constructor',
  '__proto__',
  'toString',
]
const spelled = tuple(constantFrom(...looked, ...others), boolean()).map(([name, upper]) =>
  upper ? name.toUpperCase() : name,
)
const fields = array(tuple(spelled, constantFrom('', '1', '100-continue', 'chunked', 'a, b')), {
  maxLength: 12,
})
const questions = array(constantFrom(...looked, ...others, 'none'), { maxLength: 6 })

it('they are those of node, one by one and as a whole', () => {
  assert(
    property(fields, questions, (list, names) => {
      const lines = list.flat()
      const [lazy, nodes] = [received(PausableRequest, lines).headers, received(IncomingMessage, lines).headers]
      const told = (all: IncomingMessage['headers']) =>
        names.map((name) => [name, all[name], name in all, Object.hasOwn(all, name)])
      expect(told(lazy)).toEqual(told(nodes))
      expect({ ...lazy }).toEqual({ ...nodes })
      expect(Object.entries(lazy)).toEqual(Object.entries(nodes))
    }),
  )
})

it('they can be set and taken out', () => {
  const { headers } = received(PausableRequest, ['Expect', '100-continue', 'X-A', '1'])
  headers['x-b'] = '2'
  headers.expect = 'other'
  delete headers['x-a']
  expect({ ...headers }).toEqual({ expect: 'other', 'x-b': '2' })
  expect(headers.expect).toBe('other')
})

it('node acts on what it looks at', async () => {
  const server = createServer(
    { IncomingMessage: PausableRequest, optimizeEmptyRequests: true },
    (request, response) => {
      let length = 0
      request.on('data', (bytes: Buffer) => (length += bytes.length)).on('end', () => response.end(String(length)))
    },
  )
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const answer = async (head: string, body = ''): Promise<string> =>
    (await sendRaw(port, `POST / HTTP/1.1\r\nHost: a\r\n${head}\r\n${body}`)).body.toString()
  expect(await answer('content-LENGTH: 5\r\n', 'hello')).toBe('5')
  expect(await answer('Transfer-Encoding: chunked\r\n', '3\r\nabc\r\n0\r\n\r\n')).toBe('3')
  expect(await answer('Content-Length: 2\r\nExpect: 100-continue\r\n', 'ab')).toBe('2')
  expect((await sendRaw(port, 'GET / HTTP/1.1\r\nHost: a\r\nExpect: more\r\n\r\n')).status).toBe(417)
  server.close()
})
