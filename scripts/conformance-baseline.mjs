// Compares a conformance run with the list of cases that are known to be open: a case outside the list must pass, and one
// that passes must leave the list.
import { existsSync, readFileSync } from 'node:fs'

const [, , file] = process.argv
const baseline = new URL('../test/conformance/open.json', import.meta.url)
const open = new Set(existsSync(baseline) ? JSON.parse(readFileSync(baseline, 'utf8')) : [])
const report = JSON.parse(readFileSync(file, 'utf8'))
const results = Array.isArray(report) ? report : report.results

const regressions = results.filter(({ id, ok }) => !ok && !open.has(id))
const healed = results.filter(({ id, ok }) => ok && open.has(id))
for (const { id, errors } of regressions) console.log(`regression: ${id}: ${errors.join(' | ')}`)
for (const { id } of healed) console.log(`passes now, take it out of test/conformance/open.json: ${id}`)
const passed = results.filter(({ ok }) => ok).length
console.log(`${passed} of ${results.length} cases pass, ${open.size} are known to be open`)
process.exitCode = regressions.length + healed.length > 0 ? 1 : 0
