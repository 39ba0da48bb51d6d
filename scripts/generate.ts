// Writes the generated references and schemas; with --check says which of them are out of date.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { commandReference } from './reference/commands.ts'
import { configurationReference } from './reference/configuration.ts'
import { errorReference } from './reference/errors.ts'
import { safeguardReference } from './reference/safeguards.ts'
import { configJsonSchema, rulesJsonSchema } from './generate-schema.ts'

const root = path.join(import.meta.dirname, '..')
const generated: Readonly<Record<string, string>> = {
  'schema/config.schema.json': configJsonSchema(),
  'schema/rules.schema.json': rulesJsonSchema(),
  'docs/reference/errors.md': errorReference(),
  'docs/reference/safeguards.md': safeguardReference(),
  'docs/reference/configuration.md': configurationReference(),
  'docs/reference/cli.md': await commandReference(),
}

const stale = Object.entries(generated).filter(([file, text]) => {
  const target = path.join(root, file)
  return !existsSync(target) || readFileSync(target, 'utf8') !== text
})
if (process.argv.includes('--check')) {
  for (const [file] of stale) process.stderr.write(`${file} is out of date: run npm run docs\n`)
  process.exitCode = stale.length === 0 ? 0 : 1
} else {
  for (const [file, text] of stale) {
    writeFileSync(path.join(root, file), text)
    process.stdout.write(`wrote ${file}\n`)
  }
}
