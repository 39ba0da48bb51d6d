/** `upstream.strip_prefix`: segments off the beginning of the request's path, in both profiles. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startGateway } from '../support/gateway.ts'
import { type Recorder, startRecorder } from '../support/recorder.ts'
import { ruleOf } from '../pipeline/scenario.ts'

let recorder: Recorder
beforeAll(async () => {
  recorder = await startRecorder()
})
afterAll(() => recorder.close())

const on = { enabled: true }
const gatewayWith = (upstream: object, profile: string) =>
  startGateway({
    config: { profile, authenticators: { anonymous: on }, authorizers: { allow: on }, mutators: { noop: on } },
    rules: [{ ...ruleOf({}), upstream }],
  })

describe.each(['oathkeeper', 'secure'])('profile %s', (profile) => {
  it('takes whole segments off the beginning and from nowhere else', async () => {
    const url = `${recorder.origin}/v1/api`
    await using test = await gatewayWith({ url, strip_prefix: '/api/' }, profile)
    expect(test.gateway.problems).toEqual([])
    recorder.reset()
    for (const path of ['/api/users/?q=1', '/api', '/apiary', '/v2/api/x', '/api/api/x']) await fetch(test.proxy + path)
    expect(recorder.requests.map(({ target }) => target)).toEqual([
      '/v1/api/users/?q=1', '/v1/api', '/v1/api/apiary', '/v1/api/v2/api/x', '/v1/api/api/x',
    ]) // prettier-ignore
  })
})

it.each([{ strip_path: '/a', strip_prefix: '/b' }, { strip_prefix: 'api' }, { strip_prefix: 1 }])(
  'makes a rule invalid: %j',
  async (parts) => {
    await using test = await gatewayWith({ url: recorder.origin, ...parts }, 'oathkeeper')
    expect(test.gateway.problems).toEqual([
      expect.objectContaining({
        severity: 'error',
        place: expect.objectContaining({ line: expect.any(Number) as number }) as object,
      }),
    ])
    recorder.reset()
    expect((await fetch(`${test.proxy}/b/x`)).status).toBe(500)
    expect(recorder.requests).toEqual([])
  },
)
