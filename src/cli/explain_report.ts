/** How `explain` shows which rule matched and what came of it. */
import { STATUS_CODES } from 'node:http'
import { decodeJwt } from 'jose'
import { codes, type GatewayError } from '../errors.ts'
import type { AllowedDecision, RefusedDecision, TraceStep } from '../pipeline/contract/decision.ts'
import type { Inbound } from '../pipeline/contract/inbound.ts'
import { upstreamHeaders } from '../proxy/headers.ts'
import type { ProxySettings } from '../proxy/settings.ts'
import { upstreamPath } from '../proxy/target.ts'
import type { Explanation, MatchPart } from '../rules/explain.ts'
import { isSensitiveKey } from '../telemetry/redact.ts'
import { GREEN, GREY, paint, RED } from './terminal.ts'

const PARTS: readonly MatchPart[] = ['method', 'scheme', 'host', 'path']
const MAX_RULES = 10

/** One line per rule, the nearest first, with what of the request fits it; when none matches, also what they ask for. */
export function ruleTable(rules: readonly Explanation<unknown>[], color: boolean): string {
  if (rules.length === 0) return 'There are no rules.\n'
  const shown = rules.slice(0, MAX_RULES)
  const missed = !rules.some(({ matches }) => matches)
  const width = Math.max(4, ...shown.map(({ id }) => id.length))
  const head = ['RULE'.padEnd(width), ...PARTS.map((part) => part.toUpperCase().padEnd(6))].join('  ')
  const lines = shown.map(({ id, methods, url, matches, priority, overruled, differs, error }) => {
    const marks = PARTS.map((part) => {
      if (error !== undefined && part !== 'method') return paint('?     ', GREY, color)
      return differs.includes(part) ? paint('no    ', RED, color) : paint('yes   ', GREEN, color)
    })
    const stands = priority === 0 ? '' : `priority ${priority}`
    const match = overruled ? 'matches, but another rule has a higher priority' : matches ? '<- matches' : ''
    const asked = missed ? `${methods.join('|')} ${url}` : ''
    const note = [asked, error === undefined ? match : `pattern: ${error.message}`, stands].filter(
      (text) => text !== '',
    )
    return [id.padEnd(width), ...marks, note.join(', ')].join('  ').trimEnd()
  })
  const more = rules.length - shown.length
  return `${[head.trimEnd(), ...lines, ...(more > 0 ? [`… and ${more} more`] : [])].join('\n')}\n`
}

/** One line per step of the pipeline. */
export function stepList(steps: readonly TraceStep[]): string {
  const lines = steps
    .filter(({ step }) => step !== 'match')
    .map(({ step, name, outcome, detail }) =>
      [`  ${step.replace('_', ' ').padEnd(13)}`, name.padEnd(16), outcome, detail === undefined ? '' : `(${detail})`]
        .join('  ')
        .trimEnd(),
    )
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

/** Where the request goes and with which headers, and what the tokens among them say. */
export function allowedReport(decision: AllowedDecision, inbound: Inbound, settings: ProxySettings): string {
  const { upstream, edits } = decision
  const lines = [`allowed by rule ${decision.ruleId}, subject ${JSON.stringify(decision.session.subject)}`]
  if (upstream === undefined) {
    lines.push('The rule has no upstream: it answers /decisions only, with these headers:')
    for (const [name, value] of edits) if (value !== null) lines.push(headerLine(name, value))
  } else {
    lines.push(`${inbound.method} ${upstream.origin}${upstreamPath(inbound, upstream, settings.safeguards.path)}`)
    const list = upstreamHeaders(inbound, edits, upstream, settings)
    lines.push(headerLine('Host', upstream.preserveHost ? inbound.host : new URL(upstream.origin).host))
    for (let i = 0; i < list.length; i += 2) lines.push(headerLine(list[i] ?? '', list[i + 1] ?? ''))
  }
  for (const [name, value] of edits) {
    const claims = claimsOf(value ?? '')
    if (claims !== undefined) lines.push(`claims of ${name}:`, indent(JSON.stringify(claims, null, 2)))
  }
  return `${lines.join('\n')}\n`
}

/** What the client gets instead, why, and what an operator can do about it. */
export function refusedReport(error: GatewayError, answer: RefusedDecision['answer'] | undefined): string {
  const status = answer?.status ?? error.status
  const lines = [
    `refused: ${status} ${STATUS_CODES[status] ?? ''}`.trimEnd(),
    `  ${error.code}: ${error.detail ?? error.message}`,
  ]
  for (const [name, value] of answer?.headers ?? []) lines.push(headerLine(name, value))
  if (answer !== undefined && answer.body !== '') lines.push(indent(answer.body.trimEnd()))
  lines.push(`  ${codes[error.code].remedy}`)
  return `${lines.join('\n')}\n`
}

const headerLine = (name: string, value: string): string =>
  `  ${name}: ${isSensitiveKey(name) ? shortened(value) : value}`

/** Enough to tell two values apart, too little to use one. */
function shortened(value: string): string {
  const space = value.indexOf(' ')
  const scheme = space === -1 || space > 12 ? '' : value.slice(0, space + 1)
  const secret = value.slice(scheme.length)
  return secret.length <= 12 ? `${scheme}…` : `${scheme}${secret.slice(0, 6)}… (${secret.length} characters)`
}

function claimsOf(value: string): object | undefined {
  const token = value.slice(value.lastIndexOf(' ') + 1)
  if (!token.startsWith('eyJ')) return undefined
  try {
    return decodeJwt(token)
  } catch {
    return undefined
  }
}

const indent = (text: string): string =>
  text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n')
