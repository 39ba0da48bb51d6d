import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { type Profile, resolveSafeguards } from '../config/profile.ts'
import { parseDuration } from '../documents/parse_duration.ts'
import { parseDocument } from '../documents/document.ts'
import { isMap } from '../documents/layers.ts'
import type { Locate } from '../documents/problem.ts'
import { closest } from '../documents/suggest.ts'
import { GatewayError } from '../errors.ts'
import { load } from '../load.ts'
import { ConfigError } from '../pipeline/contract/config_error.ts'
import type { Exchange } from '../pipeline/contract/exchange.ts'
import type { Clock } from '../pipeline/contract/runtime.ts'
import type { Session } from '../pipeline/contract/session.ts'
import type { JsonObject } from '../pipeline/contract/values.ts'
import { requestHeaders } from '../proxy/header_lines.ts'
import { createSessionReader } from '../sessions/reader.ts'
import { type Advice, adviceOn, adviceOnMapper } from '../tokens/claims/advice.ts'
import { compileClaims } from '../tokens/claims/compile.ts'
import { jsonnetMapper } from '../tokens/claims/jsonnet.ts'
import { mapperClaims } from '../tokens/claims/mapper.ts'
import type { ClaimsTemplate } from '../tokens/claims/template.ts'
import { allClaims } from '../tokens/mint.ts'
import { noSessionStore, offlineRuntime } from './offline.ts'
import { readSessionFile } from './session_file.ts'
import { CommandError, printProblems, type Terminal } from './terminal.ts'

export interface ClaimsTestOptions {
  readonly session: string
  readonly issuer: string
  readonly ttl: string
  readonly profile: string
}

const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() }

/** Prints the claims as JSON. Throws CommandError. */
export async function testClaims(
  terminal: Terminal,
  configs: readonly string[],
  template: string,
  options: ClaimsTestOptions,
): Promise<void> {
  const session = sessionOf(terminal, options.session, await readSessionFile(options.session))
  const exchange = { inbound: anyRequest, captures: [], session, edits: [] }
  try {
    const claims = existsSync(template)
      ? await claimsOfFile(terminal, template, exchange, options)
      : await claimsOfConfig(terminal, configs, template, exchange)
    terminal.out(`${JSON.stringify(claims, null, 2)}\n`)
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    throw new CommandError(`No token can be made of this session: ${error.detail ?? error.message}.`)
  }
}

/** What templates see of a request where there is none. */
const anyRequest: Exchange['inbound'] = {
  method: 'GET',
  scheme: 'https',
  host: 'app.example',
  path: '/',
  target: '/',
  query: '',
  headers: requestHeaders([]),
  remoteAddress: '127.0.0.1',
}

function sessionOf(terminal: Terminal, file: string, body: string): Session {
  const paths = { subject_from: 'identity.id', extra_from: '@this' }
  const read = createSessionReader(paths, resolveSafeguards('oathkeeper', {}), clock).read(JSON.parse(body))
  if (read instanceof GatewayError || read.extra === null) {
    throw new CommandError(`The session file ${file} holds no session.`, {
      exitCode: 2,
      hint: 'It is a JSON object, with an `identity` when it comes from Kratos.',
    })
  }
  const { expiresAt, ...endless } = read
  if (expiresAt === undefined || expiresAt > clock.now()) return read
  terminal.err(`note: The session in ${file} has ended; the claims are shown as if it had not\n`)
  return endless
}

async function claimsOfConfig(
  terminal: Terminal,
  configs: readonly string[],
  name: string,
  exchange: Exchange,
): Promise<JsonObject> {
  if (configs.length === 0) {
    throw new CommandError(`There is no file ${name}, and no config in which it could be the name of a template.`, {
      exitCode: 2,
      hint: 'Name the config with -c.',
    })
  }
  const runtime = offlineRuntime(noSessionStore)
  const { state, problems } = await load({ configFiles: configs, env: terminal.env, runtime })
  if (state === undefined) {
    printProblems(terminal, problems)
    throw new CommandError('The config cannot be used.', { hint: 'Correct the errors above first.' })
  }
  const template = state.tokenTemplates.get(name)
  if (template !== undefined) return template.claims(exchange)
  const names = [...state.tokenTemplates.keys()]
  const meant = closest(name, names)
  throw new CommandError(`There is neither a file ${name} nor a template of that name in the config.`, {
    exitCode: 2,
    hint: meant === undefined ? `Templates: ${names.join(', ') || 'none'}.` : `Did you mean ${meant}?`,
  })
}

async function claimsOfFile(
  terminal: Terminal,
  file: string,
  exchange: Exchange,
  options: ClaimsTestOptions,
): Promise<JsonObject> {
  const ttl = parseDuration(options.ttl)
  if (ttl === undefined) {
    throw new CommandError(`--ttl must be a duration such as 10m, not ${JSON.stringify(options.ttl)}.`, { exitCode: 2 })
  }
  const claims = await compileFile(terminal, file, profileOf(options.profile))
  const made = await allClaims(exchange, {
    issuer: options.issuer,
    ttl,
    claims,
    safeguards: { token_backdate: 0, token_lifetime: 'session' },
    // Tokens of Kratos' templates name their session.
    sid: claims?.replacesRegistered === true,
    clock,
    randomUUID: () => randomUUID(),
  })
  return made.all
}

function profileOf(text: string): Profile {
  if (text === 'secure' || text === 'oathkeeper') return text
  throw new CommandError(`--profile must be secure or oathkeeper, not ${JSON.stringify(text)}.`, { exitCode: 2 })
}

async function compileFile(terminal: Terminal, file: string, profile: Profile): Promise<ClaimsTemplate | undefined> {
  const text = await readTemplate(file)
  const safeguards = resolveSafeguards(profile, {})
  const extension = extname(file).toLowerCase()
  const advise = (advice: readonly Advice[], locate: Locate = () => file): void => {
    for (const { message, path, hint } of advice) {
      printProblems(terminal, [{ severity: 'warning', message, hint, place: locate(path) ?? file }])
    }
  }
  if (['.jsonnet', '.libsonnet'].includes(extension)) {
    const mapper = compiled(terminal, file, () => jsonnetMapper(text, file))
    advise(adviceOnMapper(text))
    return mapperClaims(mapper)
  }
  if (!['.yaml', '.yml', '.json'].includes(extension)) {
    const template = compiled(terminal, file, () => compileClaims(text, safeguards))
    advise(adviceOn(text))
    return template
  }
  const { document, problems } = parseDocument(text, file)
  printProblems(terminal, problems)
  if (document === undefined || !isMap(document.value)) {
    throw new CommandError(`The file ${file} holds no map of claims.`)
  }
  const { value, locate } = document
  advise(adviceOn(value), locate)
  return compiled(terminal, file, () => compileClaims(value as JsonObject, safeguards), locate)
}

async function readTemplate(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    throw new CommandError(`The template ${file} cannot be read (${String(code ?? error)}).`, { exitCode: 2 })
  }
}

function compiled<Template>(
  terminal: Terminal,
  file: string,
  compile: () => Template,
  locate: Locate = () => file,
): Template {
  try {
    return compile()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const { message, path, hint } = error
    const place = locate(path) ?? file
    printProblems(terminal, [{ severity: 'error', message, place, ...(hint !== undefined && { hint }) }])
    throw new CommandError('The template cannot be used.', { hint: 'Correct the error above first.' })
  }
}
