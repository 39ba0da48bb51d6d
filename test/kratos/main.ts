/**
 * Runs Mintkeeper before a real Kratos and tells what was seen. `npm run kratos -- [--only PART]`, with the path of
 * a Kratos executable in KRATOS_BIN. Exits 1 when something was wrong, 2 when it cannot run.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { freeBlock } from '../../demo/ports.ts'
import { startApplication, startGateway } from './gateway.ts'
import { startKratos } from './kratos.ts'
import { checkOryProxy } from './ory_proxy.ts'
import { createReport, type Report } from './report.ts'
import { compareTokenizers } from './tokenizer.ts'
import { compareWhoami } from './whoami.ts'
import { checkExtension, checkLogin, checkOutage, checkRevocation, checkStepUp } from './sessions.ts'

const { values } = parseArgs({ options: { only: { type: 'string' } } })
/** Seconds that a session lives where its extension is watched. */
const SHORT_LIFE = 10

const parts: Readonly<Record<string, (binary: string, folder: string, report: Report) => Promise<void>>> = {
  async sessions(binary, folder, report) {
    await using application = await startApplication()
    const port = await freeBlock(1)
    const own = `http://127.0.0.1:${port}`
    await using kratos = await startKratos({ binary, folder, ui: own, baseUrl: `${own}/.ory/` })
    await using gateway = await startGateway(kratos, application, port, { cache: { ttl: '30s' } })
    const stage = { gateway, kratos, report }
    await checkLogin(stage)
    await checkRevocation(stage)
    await checkStepUp(stage)
    await checkOutage(stage)
  },
  async proxy(binary, folder, report) {
    await using application = await startApplication()
    // Its pages are the application's, whose own address it knows.
    await using kratos = await startKratos({ binary, folder, ui: application.origin })
    await checkOryProxy(kratos, application, report)
  },
  tokenizer: compareTokenizers,
  async whoami(binary, folder, report) {
    await using application = await startApplication()
    await using kratos = await startKratos({ binary, folder, ui: 'http://127.0.0.1:9' })
    await using gateway = await startGateway(kratos, application, await freeBlock(1))
    await compareWhoami(kratos, gateway, report)
  },
  async extension(binary, folder, report) {
    await using application = await startApplication()
    const port = await freeBlock(1)
    const own = `http://127.0.0.1:${port}`
    const session = { lifespan: `${SHORT_LIFE}s`, earliest_possible_extend: `${SHORT_LIFE / 2}s` }
    await using kratos = await startKratos({ binary, folder, ui: own, baseUrl: `${own}/.ory/`, session })
    const extend = { remaining: `${SHORT_LIFE / 2}s`, interval: '2s' }
    await using gateway = await startGateway(kratos, application, port, { extend })
    await checkExtension({ gateway, kratos, report }, SHORT_LIFE)
  },
}

const binary = process.env['KRATOS_BIN']
if (binary === undefined || binary === '') {
  process.stderr.write('KRATOS_BIN is needed: the path of a Kratos executable to run behind Mintkeeper.\n')
  process.exit(2)
}
const report = createReport((text) => void process.stdout.write(text))
for (const [name, run] of Object.entries(parts)) {
  if (values.only !== undefined && values.only !== name) continue
  const folder = mkdtempSync(path.join(tmpdir(), 'mintkeeper-kratos-'))
  try {
    await run(binary, folder, report)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
process.stdout.write(`\n${report.checked} checked, ${report.failed} wrong\n`)
process.exitCode = report.failed === 0 ? 0 : 1
