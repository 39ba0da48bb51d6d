/** Functions of Go templates that a config has to allow, wherever templates stand. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadGateway, type TestGateway } from '../support/gateway.ts'
import { inboundOf } from '../support/inbound.ts'
import { type Recorder, startRecorder } from '../support/recorder.ts'
import { editsOf, ruleOf } from './scenario.ts'

let service: Recorder
beforeAll(async () => {
  service = await startRecorder()
})
afterAll(() => service.close())

/** Templates of a header and of a payload, in a gateway that allows these functions. */
function load(allowed: readonly string[], template: string): Promise<TestGateway> {
  const on = { enabled: true }
  const payload = { remote: service.origin, payload: `{"region":"${template}"}` }
  return loadGateway({
    config: {
      templates: { allow_functions: allowed },
      authenticators: { anonymous: on },
      authorizers: { remote_json: { enabled: true, config: payload } },
      mutators: { header: { enabled: true, config: { headers: { 'X-Region': template } } } },
    },
    rules: [ruleOf({ authorizer: 'remote_json', mutators: ['header'] })],
    env: { REGION: 'eu' },
  })
}

const both = '{{ env `REGION` }} {{ expandenv `$REGION-1` }}'

const hintFor = (name: string): unknown => expect.stringContaining(`\`templates.allow_functions: [${name}]\``)

describe('env and expandenv', () => {
  it.each([
    [[], 'env'],
    [['env'], 'expandenv'],
  ])('are refused unless they are allowed: %j', async (allowed, refused) => {
    await using test = await load(allowed, both)
    const problem = {
      severity: 'error',
      message: expect.stringContaining(`"${refused}" is refused`) as unknown,
      hint: hintFor(refused),
    }
    expect(test.gateway.problems).toMatchObject([problem, problem])
  })

  it('read the environment that the gateway was given', async () => {
    await using test = await load(['env', 'expandenv'], both)
    expect(test.gateway.problems).toEqual([])
    expect(editsOf(await test.gateway.decide(inboundOf('http://h/')))['x-region']).toBe('eu eu-1')
    expect(service.requests.at(-1)?.body.toString()).toBe('{"region":"eu eu-1"}')
  })

  it('are shown where they stand, also in a block of YAML', async () => {
    await using test = await load(['env'], 'x')
    const yaml = [
      '- id: a',
      '  match: { url: <.*>, methods: [GET] }',
      '  authenticators: [{ handler: anonymous }]',
      '  authorizer: { handler: remote_json }',
      '  mutators:',
      '  - handler: header',
      '    config:',
      '      headers:',
      '        X-A: |',
      '          first',
      '          {{ env `A` }}{{ expandenv `$A` }}',
    ]
    test.write('rules.json', yaml.join('\n'))
    const { problems } = await test.gateway.reload()
    expect(problems).toMatchObject([{ place: { line: 11, column: 27 } }])
  })

  it('cannot be allowed when there is no such function', async () => {
    await expect(load(['nope'], 'x')).rejects.toThrow(/allow_functions/)
  })
})

describe('getHostByName', () => {
  const template = '{{ getHostByName `localhost` }}'

  it('is refused unless it is allowed', async () => {
    await using test = await load([], template)
    expect(test.gateway.problems).toMatchObject([
      { hint: hintFor('getHostByName') },
      { hint: hintFor('getHostByName') },
    ])
  })

  it('lets its own request wait for the DNS, in authorizers and mutators, and does nothing twice', async () => {
    await using test = await load(['getHostByName'], template)
    const before = service.requests.length
    const decision = await test.gateway.decide(inboundOf('http://h/'))
    expect(editsOf(decision)['x-region']).toMatch(/^(127\.0\.0\.1|::1)$/)
    expect(service.requests).toHaveLength(before + 1)
    expect(service.requests.at(-1)?.body.toString()).toMatch(/^\{"region":"(127\.0\.0\.1|::1)"\}$/)
  })
})
