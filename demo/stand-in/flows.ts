/** Login flows: what a client is given before it may send a password. */
import { randomUUID } from 'node:crypto'
import { badRequest } from './errors.ts'
import type { Settings } from './settings.ts'

export interface Message {
  readonly id: number
  readonly text: string
  readonly type: 'error' | 'info'
}

export interface LoginFlow {
  readonly id: string
  readonly type: 'api' | 'browser'
  readonly issuedAt: number
  readonly expiresAt: number
  readonly requestUrl: string
  readonly returnTo: string | undefined
  readonly refresh: boolean
  readonly aal: 'aal1' | 'aal2'
  messages: Message[]
  /** What was typed, to be shown again. */
  identifier: string
}

export const invalidCredentials: Message = {
  id: 4000006,
  text:
    'The provided credentials are invalid, check for spelling mistakes in your password or username, ' +
    'email address, or phone number.',
  type: 'error',
}

export const createFlow = (type: LoginFlow['type'], query: URLSearchParams, url: string, settings: Settings) => {
  const issuedAt = settings.now()
  const flow: LoginFlow = {
    id: randomUUID(),
    type,
    issuedAt,
    expiresAt: issuedAt + settings.loginLifespan * 1000,
    requestUrl: url,
    returnTo: returnTo(query, settings),
    refresh: query.get('refresh') === 'true',
    aal: query.get('aal') === 'aal2' ? 'aal2' : 'aal1',
    messages: [],
    identifier: '',
  }
  return flow
}

/** The checked `return_to` of a query; a path is relative to the default one. Throws 400 when it is not allowed. */
export const returnTo = (query: URLSearchParams, settings: Settings): string | undefined => {
  const wanted = query.get('return_to')
  if (wanted === null || wanted === '') return undefined
  const url = URL.parse(wanted, settings.defaultReturnUrl)
  const allowed = [settings.defaultReturnUrl, ...settings.allowedReturnUrls].map((text) => new URL(text))
  if (url === null || !allowed.some((one) => one.origin === url.origin && url.pathname.startsWith(one.pathname))) {
    throw badRequest(`Requested return_to URL "${wanted}" is not allowed.`)
  }
  return url.href
}

const input = (group: string, name: string, type: string, value: string, label?: Message): object => ({
  type: 'input',
  group,
  attributes: { name, type, ...(value !== '' && { value }), required: true, disabled: false, node_type: 'input' },
  messages: [],
  meta: label === undefined ? {} : { label },
})

const csrfNode = (value: string): object => ({
  type: 'input',
  group: 'default',
  attributes: { name: 'csrf_token', type: 'hidden', value, required: true, disabled: false, node_type: 'input' },
  messages: [],
  meta: {},
})

const info = (id: number, text: string): Message => ({ id, text, type: 'info' })

/** `csrf` is the form's masked token; empty for API flows. */
export const flowJson = (flow: LoginFlow, csrf: string, settings: Settings): object => {
  const issued = new Date(flow.issuedAt).toISOString()
  return {
    id: flow.id,
    organization_id: null,
    type: flow.type,
    expires_at: new Date(flow.expiresAt).toISOString(),
    issued_at: issued,
    request_url: flow.requestUrl,
    ...(flow.returnTo !== undefined && { return_to: flow.returnTo }),
    ui: {
      action: `${settings.baseUrl}self-service/login?flow=${flow.id}`,
      method: 'POST',
      nodes: [
        csrfNode(csrf),
        input('default', 'identifier', 'text', flow.identifier, info(1070004, 'ID')),
        input('password', 'password', 'password', '', info(1070001, 'Password')),
        input('password', 'method', 'submit', 'password', info(1010022, 'Sign in with password')),
      ],
      ...(flow.messages.length > 0 && { messages: flow.messages }),
    },
    created_at: issued,
    updated_at: issued,
    refresh: flow.refresh,
    requested_aal: flow.aal,
    state: 'choose_method',
  }
}
