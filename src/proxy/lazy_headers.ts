/**
 * Headers of a request as node shows them, made when somebody asks for one that node's own server does not look at. It looks at
 * two or three of each request, and would make all of them for that: a sixth of what its server costs.
 */
import { IncomingMessage, type IncomingHttpHeaders } from 'node:http'

/** What node's server and the gateway look at: they say how a message is framed, and what its sender expects. */
const looked: ReadonlySet<string | symbol> = new Set([
  'expect',
  'content-length',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
])

const nodes = Object.getOwnPropertyDescriptor(IncomingMessage.prototype, 'headers')!

class Lazy {
  readonly #request: IncomingMessage
  #all: IncomingHttpHeaders | undefined

  constructor(request: IncomingMessage) {
    this.#request = request
  }

  get all(): IncomingHttpHeaders {
    return (this.#all ??= nodes.get!.call(this.#request) as IncomingHttpHeaders)
  }

  /** The value of one of those that are looked at: as node joins several. */
  one(name: string): string | undefined {
    if (this.#all !== undefined) return this.#all[name] as string | undefined
    const { rawHeaders } = this.#request
    let value: string | undefined
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const spelling = rawHeaders[i]!
      if (spelling.length !== name.length || spelling.toLowerCase() !== name) continue
      if (value === undefined) value = rawHeaders[i + 1]!
      else if (name !== 'content-length') value += `, ${rawHeaders[i + 1]!}`
    }
    return value
  }
}

const handler: ProxyHandler<Lazy> = {
  get: (lazy, name) => (looked.has(name) ? lazy.one(name as string) : Reflect.get(lazy.all, name)),
  has: (lazy, name) => (looked.has(name) ? lazy.one(name as string) !== undefined : Reflect.has(lazy.all, name)),
  set: (lazy, name, value) => Reflect.set(lazy.all, name, value),
  deleteProperty: (lazy, name) => Reflect.deleteProperty(lazy.all, name),
  defineProperty: (lazy, name, value) => Reflect.defineProperty(lazy.all, name, value),
  ownKeys: (lazy) => Reflect.ownKeys(lazy.all),
  getOwnPropertyDescriptor: (lazy, name) => Reflect.getOwnPropertyDescriptor(lazy.all, name),
  getPrototypeOf: () => Object.prototype,
}

/** Equal to `request.headers` in all that can be asked of it. */
export function lazyHeaders(request: IncomingMessage): IncomingHttpHeaders {
  return new Proxy(new Lazy(request), handler) as unknown as IncomingHttpHeaders
}
