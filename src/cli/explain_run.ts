import { GatewayError } from '../errors.ts'
import { load, type Runtime, type State } from '../load.ts'
import { createHttpClient } from '../outbound/client.ts'
import type { TraceStep } from '../pipeline/contract/decision.ts'
import type { Inbound } from '../pipeline/contract/inbound.ts'
import type { SessionStore } from '../pipeline/contract/session_store.ts'
import { decide } from '../pipeline/decide.ts'
import { proxySnapshot } from '../planes.ts'
import type { ProxySettings } from '../proxy/settings.ts'
import { readAnswer } from '../sessions/answer.ts'
import { createSessionStore } from '../sessions/store.ts'
import { allowedReport, refusedReport, ruleTable, stepList } from './explain_report.ts'
import { readRequest, type ExplainedRequest } from './explain_request.ts'
import { offlineRuntime } from './offline.ts'
import { readSessionFile } from './session_file.ts'
import { CommandError, printProblems, type Terminal } from './terminal.ts'

/** Decides about the request as the gateway would and prints how; `sessionFile` stands in for the session store. */
export async function explain(
  terminal: Terminal,
  configs: readonly string[],
  request: ExplainedRequest,
  sessionFile: string | undefined,
): Promise<void> {
  if (sessionFile !== undefined) {
    await explainWith(terminal, configs, request, await fileStore(terminal, sessionFile), true)
    return
  }
  const store = createSessionStore()
  try {
    await explainWith(terminal, configs, request, store, false)
  } finally {
    await store.close()
  }
}

async function explainWith(
  terminal: Terminal,
  configs: readonly string[],
  request: ExplainedRequest,
  sessions: SessionStore,
  addCookies: boolean,
): Promise<void> {
  const http = createHttpClient()
  try {
    await explainLoaded(terminal, configs, request, offlineRuntime(sessions, http), addCookies)
  } finally {
    await http.close()
  }
}

async function explainLoaded(
  terminal: Terminal,
  configs: readonly string[],
  request: ExplainedRequest,
  runtime: Runtime,
  addCookies: boolean,
): Promise<void> {
  const { state, problems } = await load({ configFiles: configs, env: terminal.env, runtime })
  if (state === undefined) {
    printProblems(terminal, problems)
    throw new CommandError('The config cannot be used.', { hint: 'Correct the errors above first.' })
  }
  const method = request.method.toUpperCase()
  if (method !== request.method) {
    terminal.err(
      `warning: Methods are case-sensitive: this is about ${method}, and ${request.method} is refused with 400\n`,
    )
  }
  const { settings } = proxySnapshot(state)
  const inbound = readRequest(request, settings, addCookies)
  if (inbound instanceof GatewayError) {
    terminal.out(`The request does not get as far as the rules.\n${refusedReport(inbound, undefined)}`)
    return
  }
  await explainInbound(terminal, state, inbound, settings)
}

async function explainInbound(
  terminal: Terminal,
  { snapshot }: State,
  inbound: Inbound,
  settings: ProxySettings,
): Promise<void> {
  const { method, scheme, host, path } = inbound
  const url = `${scheme}://${host}${path}`
  terminal.out(`${method} ${url}\n\n${ruleTable(snapshot.matcher.explain(method, url), terminal.colorOut)}\n`)
  const steps: TraceStep[] = []
  const decision = await decide(inbound, snapshot, (step) => steps.push(step))
  const list = stepList(steps)
  if (list !== '') terminal.out(`${list}\n`)
  terminal.out(
    decision.allowed ? allowedReport(decision, inbound, settings) : refusedReport(decision.error, decision.answer),
  )
}

/** Answers every question with the file, as if the session store had said it with 200. */
async function fileStore(terminal: Terminal, file: string): Promise<SessionStore> {
  const body = await readSessionFile(file)
  return {
    ask(question) {
      const answer = readAnswer({ status: 200, headers: {}, body }, question)
      if (answer.outcome !== 'session') {
        const { detail, message } = answer.error
        terminal.err(`note: The session file ${file} is not taken for a session: ${detail ?? message}\n`)
      }
      return Promise.resolve(answer)
    },
  }
}
