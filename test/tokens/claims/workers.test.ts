import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { jsonnetMapper } from '../../../src/tokens/claims/jsonnet.ts'
import { createMapperWorkers, type MapperWorkers } from '../../../src/tokens/claims/workers/pool.ts'

const mapperOf = (source: string) => jsonnetMapper(source, 'mapper.jsonnet')
const input = { session: { id: 's1' }, defaults: { sub: 'alice' }, others: { subject: 'alice' } }
const good = mapperOf("{ claims: { id: std.extVar('session').id, of: std.extVar('subject') } }")
const claims = { sub: 'alice', id: 's1', of: 'alice' }
/** Counts to more than the time allows. */
const endless = mapperOf('local f(n) = if n < 2 then 1 else f(n - 1) + f(n - 2); { claims: { a: f(60) } }')
const patient = 30_000

const failure = (reason: string) => ({
  code: 'template_failed',
  message: 'Unable to execute tokenizer JsonNet.',
  reason: expect.stringContaining(reason) as string,
})

describe('mappers on threads of their own', () => {
  let workers: MapperWorkers
  beforeAll(() => {
    workers = createMapperWorkers({ threads: 2 })
  })
  afterAll(() => workers.close())

  it('give what they give here', async () => {
    expect(await workers.evaluate(good, input, patient)).toEqual(claims)
    expect(good.map(input.session, input.defaults, input.others)).toEqual(claims)
  })

  it('fail as they do here', async () => {
    const broken = mapperOf("{ claims: { a: std.extVar('session').mail } }")
    const reason = 'The claims mapper failed at mapper.jsonnet:1:38: there is no field mail'
    await expect(workers.evaluate(broken, input, patient)).rejects.toMatchObject(failure(reason))
    const none = mapperOf('{}')
    await expect(workers.evaluate(none, input, patient)).rejects.toMatchObject({
      message: 'Expected tokenizer JsonNet to return a claims object but it did not.',
    })
  })

  it('are stopped at their limit of time, and others go on', async () => {
    await workers.evaluate(good, input, patient)
    const stopped = workers.evaluate(endless, input, 1)
    const others = Promise.all(Array.from({ length: 20 }, () => workers.evaluate(good, input, patient)))
    await expect(stopped).rejects.toMatchObject(failure('takes longer than 1 ms'))
    expect(await others).toEqual(Array.from({ length: 20 }, () => claims))
    expect(await workers.evaluate(good, input, patient)).toEqual(claims)
  })

  it('leave the event loop free', async () => {
    let turns = 0
    const ticking = setInterval(() => turns++, 1)
    await workers.evaluate(endless, input, 100).catch(() => undefined)
    clearInterval(ticking)
    expect(turns).toBeGreaterThan(2)
  })

  it('are one for each mapper, so that no mapper can keep all threads', async () => {
    const order: string[] = []
    const run = async (name: string, mapper: typeof good, timeout: number): Promise<void> => {
      await workers.evaluate(mapper, input, timeout).catch(() => undefined)
      order.push(name)
    }
    await Promise.all([
      run('endless 1', endless, 50),
      run('endless 2', endless, 50),
      run('endless 3', endless, 50),
      run('good', good, patient),
    ])
    expect(order.indexOf('good')).toBeLessThan(order.indexOf('endless 3'))
  })
})

describe('a pool that is too small', () => {
  it('says so instead of letting everybody wait', async () => {
    const workers = createMapperWorkers({ threads: 1, mostWaitingOfOne: 1 })
    const running = workers.evaluate(good, input, patient)
    const waiting = workers.evaluate(good, input, patient)
    await expect(workers.evaluate(good, input, patient)).rejects.toMatchObject({ code: 'overloaded', status: 503 })
    expect(await Promise.all([running, waiting])).toEqual([claims, claims])
    await workers.close()
  })

  it('ends what is under way when it is closed, and takes nothing any more', async () => {
    const workers = createMapperWorkers({ threads: 1 })
    const running = workers.evaluate(good, input, patient)
    await Promise.all([expect(running).rejects.toMatchObject({ code: 'overloaded' }), workers.close()])
    await expect(workers.evaluate(good, input, patient)).rejects.toMatchObject({ code: 'overloaded' })
  })
})
