/** Alice and Bob, signed in over Kratos' API as a mobile app would do it. */
import { alice, bob, type Identity } from './stand-in/identities.ts'
import { DemoFailure, systemCode } from './failure.ts'

export interface DemoUser {
  readonly name: string
  readonly email: string
  readonly password: string
  /** Kratos' id of the user: the subject of their tokens. */
  readonly id: string
  /** A session token, `ory_st_…`. */
  readonly token: string
  readonly notes: readonly string[]
}

interface Flow {
  readonly ui: { readonly action: string }
}

interface SignedIn {
  readonly session_token?: string
  readonly session?: { readonly identity?: { readonly id?: string } }
}

const headers = { Accept: 'application/json', 'Content-Type': 'application/json' }

/** fetch hides the reason in the cause. */
const reasonOf = (error: unknown): string => {
  const cause: unknown = error instanceof Error && error.cause !== undefined ? error.cause : error
  return systemCode(cause) ?? String(cause)
}

const request = async (url: string, init: RequestInit = {}): Promise<{ status: number; body: unknown }> => {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(5000), ...init }).catch((error: unknown) => {
    throw new DemoFailure(`Kratos does not answer at ${url}: ${reasonOf(error)}`)
  })
  return { status: response.status, body: await response.json() }
}

const signIn = async (kratosUrl: string, identity: Identity, notes: readonly string[]): Promise<DemoUser> => {
  const email = String(identity.traits['email'])
  const { name } = identity.traits as { name: { first: string } }
  const flow = await request(`${kratosUrl}/self-service/login/api`)
  // The action names Kratos' public address, which need not be reachable yet: the flow's id is all that counts.
  const submit = `${kratosUrl}/self-service/login?${new URL((flow.body as Flow).ui.action).searchParams.toString()}`
  const body = JSON.stringify({ method: 'password', identifier: email, password: identity.password })
  const { status, body: answered } = await request(submit, { method: 'POST', body })
  const answer = answered as SignedIn
  const id = answer.session?.identity?.id
  if (answer.session_token === undefined || id === undefined) {
    throw new DemoFailure(
      `The Kratos at ${kratosUrl} does not sign in ${email} with the password ${identity.password} (status ${status}).\n` +
        'Make an account with these in it, or leave out KRATOS_PUBLIC_URL to use the stand-in.',
    )
  }
  return { name: name.first, email, password: identity.password, id, token: answer.session_token, notes }
}

/** `kratosUrl` is Kratos' own public address, without a trailing slash. */
export const signInUsers = (kratosUrl: string): Promise<[DemoUser, DemoUser]> =>
  Promise.all([
    signIn(kratosUrl, alice(), [
      'Follow the white rabbit.',
      'Return the golden key.',
      'Tea at six o’clock, as always.',
    ]),
    signIn(kratosUrl, bob(), ['Feed the dormouse.', 'Paint the roses red.']),
  ])
