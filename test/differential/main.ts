/**
 * Runs Mintkeeper and Oathkeeper on the same configs, rules and requests, and prints each difference that nobody has
 * declared. `node test/differential/main.ts [--seed N] [--configs N] [--requests N] [--only ID]`, with the path of an
 * Oathkeeper executable in OATHKEEPER_BIN. Exits 1 when there is such a difference, 2 when it cannot run.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { compare } from './compare.ts'
import { send } from './exchange.ts'
import { generate } from './generator/scenarios.ts'
import { makeMaterial } from './material.ts'
import { startMintkeeper, startOathkeeper } from './programs.ts'
import { createReport, type Report } from './report.ts'
import type { Scenario } from './scenario.ts'
import * as answers from './services/answers.ts'
import { startRecordingServer, type Arrived } from './services/recording_server.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    configs: { type: 'string', default: '72' },
    requests: { type: 'string', default: '5400' },
    only: { type: 'string' },
  },
})

const binary = process.env['OATHKEEPER_BIN']
if (binary === undefined || binary === '') {
  process.stderr.write('OATHKEEPER_BIN is needed: the path of an Oathkeeper executable to compare with.\n')
  process.exit(2)
}
process.exitCode = await run(binary)

async function run(oathkeeper: string): Promise<number> {
  const folder = mkdtempSync(path.join(tmpdir(), 'mintkeeper-differential-'))
  const heard: Arrived[] = []
  const arrived = (request: Arrived): void => void heard.push(request)
  try {
    await using store = await startRecordingServer('store', answers.sessionStore, arrived)
    await using upstream = await startRecordingServer('upstream', answers.upstream, arrived)
    await using service = await startRecordingServer('service', answers.service, arrived)
    const origins = {
      store: store.origin,
      upstream: upstream.origin,
      service: service.origin,
      closed: 'http://127.0.0.1:1',
    }
    const material = await makeMaterial(folder, origins)
    const [seed, configs, requests] = [values.seed, values.configs, values.requests].map(Number) as [
      number,
      number,
      number,
    ]
    const scenarios = generate({ seed, configs, requestsPerConfig: Math.ceil(requests / configs), material })
    const report = createReport((text) => void process.stdout.write(text))
    for (const scenario of scenarios) {
      if (values.only === undefined || values.only === scenario.id)
        await runScenario(oathkeeper, scenario, path.join(folder, scenario.id), heard, report)
    }
    report.finish()
    return report.open() === 0 ? 0 : 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function runScenario(
  oathkeeper: string,
  scenario: Scenario,
  folder: string,
  heard: Arrived[],
  report: Report,
): Promise<void> {
  await using theirs = await startOathkeeper(oathkeeper, path.join(folder, 'theirs'), scenario)
  await using ours = await startMintkeeper(path.join(folder, 'ours'), scenario)
  report.scenario()
  for (const [index, request] of scenario.requests.entries()) {
    const context = {
      scenario,
      request,
      theirs: await send(theirs, request, heard),
      ours: await send(ours, request, heard),
    }
    report.add(index, context, compare(context))
  }
}
