/** People of a real Kratos: made by its admin API, logged in by its flows, through whatever stands in front of it. */
import { createHmac, randomBytes } from 'node:crypto'
import { request } from 'undici'
import type { Json, JsonObject } from '../../src/pipeline/contract/values.ts'

export interface Person {
  readonly id: string
  readonly email: string
  readonly password: string
}

/** What came back: the JSON when it is one. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: JsonObject
}

export interface Question {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Not by fetch, which says of every request that a script made it. */
export async function ask(url: string, { method = 'GET', headers = {}, body }: Question = {}): Promise<Answer> {
  const response = await request(url, { method, headers: { ...headers }, ...(body !== undefined && { body }) })
  const received = new Headers()
  for (const [name, value] of Object.entries(response.headers)) {
    for (const line of [value ?? []].flat()) received.append(name, line)
  }
  const text = await response.body.text()
  const isJson = text !== '' && /json/.test(received.get('content-type') ?? '')
  return { status: response.statusCode, headers: received, text, json: isJson ? (JSON.parse(text) as JsonObject) : {} }
}

/** Sends JSON. */
export const tell = (
  url: string,
  body: object,
  headers: Record<string, string> = {},
  method = 'POST',
): Promise<Answer> =>
  ask(url, {
    method,
    headers: { accept: 'application/json', 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

export async function createPerson(adminUrl: string, more: object = {}): Promise<Person> {
  const email = `${randomBytes(6).toString('hex')}@example.com`
  const password = randomBytes(16).toString('base64url')
  const { status, json, text } = await tell(`${adminUrl}admin/identities`, {
    schema_id: 'person',
    traits: { email },
    credentials: { password: { config: { password } } },
    ...more,
  })
  if (status !== 201) throw new Error(`Kratos made no identity: ${status} ${text}`)
  return { id: textOf(json['id']), email, password }
}

/** A session token, by the flow for apps without a browser. `base` ends in a slash. */
export async function loginWithToken(base: string, { email, password }: Person): Promise<string> {
  const flow = await ask(`${base}self-service/login/api`)
  const { json, text } = await tell(actionOf(flow), { method: 'password', identifier: email, password })
  if (typeof json['session_token'] !== 'string') throw new Error(`No session token: ${text}`)
  return json['session_token']
}

/** Where a flow's form goes. */
export const actionOf = ({ json }: Pick<Answer, 'json'>): string => textOf((json['ui'] as JsonObject)['action'])

/** The value of one of a flow's inputs, or the text of one of its nodes. */
export function nodeOf({ json }: Pick<Answer, 'json'>, name: string): string {
  for (const node of (json['ui'] as JsonObject)['nodes'] as readonly JsonObject[]) {
    const attributes = node['attributes'] as JsonObject
    if (attributes['name'] === name) return textOf(attributes['value'])
    if (attributes['id'] === name) return textOf((attributes['text'] as JsonObject)['text'])
  }
  throw new Error(`The flow has no node ${name}`)
}

/** A member that is text; anything else counts as empty. */
export const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')

/** As much of a browser as the flows need: it keeps cookies, and says what pages and scripts say. */
export class Browser {
  readonly cookies = new Map<string, string>()

  async ask(url: string, question: Question = {}): Promise<Answer> {
    const headers = { accept: 'application/json', ...question.headers, cookie: this.cookie }
    const answer = await ask(url, { ...question, headers })
    for (const line of answer.headers.getSetCookie()) this.#keep(line)
    return answer
  }

  navigate(url: string): Promise<Answer> {
    return this.ask(url, { headers: { accept: 'text/html', 'sec-fetch-mode': 'navigate' } })
  }

  /** Submits a flow with its CSRF token, as a script does. */
  submit(flow: Answer, values: object): Promise<Answer> {
    return this.ask(actionOf(flow), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ csrf_token: nodeOf(flow, 'csrf_token'), ...values }),
    })
  }

  /** By the flow for browsers. */
  async login(base: string, { email, password }: Person): Promise<Answer> {
    const flow = await this.ask(`${base}self-service/login/browser`)
    return this.submit(flow, { method: 'password', identifier: email, password })
  }

  get cookie(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(';')
    const name = pair.slice(0, pair.indexOf('='))
    if (attributes.some((attribute) => /^\s*max-age=0$/i.test(attribute))) this.cookies.delete(name)
    else this.cookies.set(name, pair.slice(pair.indexOf('=') + 1))
  }
}

/** The code that an authenticator app shows for a secret in base 32 (RFC 6238, SHA-1, six digits). */
export function totp(secret: string, now = Date.now()): string {
  const bits = Array.from(secret.replaceAll('=', ''))
    .map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, '0'))
    .join('')
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(now / 30_000)))
  const digest = createHmac('sha1', key).update(counter).digest()
  const number = digest.readUInt32BE(digest.at(-1)! & 0xf) & 0x7fff_ffff
  return String(number % 1_000_000).padStart(6, '0')
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
