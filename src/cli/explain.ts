import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import { GatewayError } from '../errors.ts'
import { load, type State } from '../load.ts'
import type { Inbound, SessionStore, TraceStep } from '../pipeline/contract.ts'
import { decide } from '../pipeline/decide.ts'
import { proxySnapshot } from '../planes.ts'
import { readAnswer } from '../sessions/answer.ts'
import { createSessionStore } from '../sessions/store.ts'
import { configFiles } from './config_files.ts'
import { allowedReport, refusedReport, ruleTable, stepList } from './explain_report.ts'
import { readRequest, type ExplainedRequest } from './explain_request.ts'
import { withExamples } from './help.ts'
import type { CommandContext } from './main.ts'
import { offlineRuntime } from './offline.ts'
import { CommandError, printProblems, type Terminal } from './terminal.ts'

interface Options {
  readonly header?: readonly string[]
  readonly session?: string
}

/** `explain METHOD URL`: which rule a request matches and why not the others, and what becomes of it. */
export function explainCommand({ terminal }: CommandContext): Command {
  const command = new Command('explain')
    .description(
      'Show which rule a request matches and why the others do not, what each step says, and what reaches the upstream. ' +
        'The upstream is not called; the session store is, unless --session stands in for it.',
    )
    .argument('<method>', 'method of the request')
    .argument('<url>', 'URL of the request, as the client sees it')
    .option(
      '-H, --header <line>',
      'a request header; repeat it for more',
      (line: string, lines: readonly string[] | undefined) => [...(lines ?? []), line],
    )
    .option('--session <file>', "JSON file with the session store's answer, instead of asking it")
    .action(async (method: string, url: string, { header = [], session }: Options) => {
      const files = configFiles(command, terminal.env)
      const request = { method, url, headers: header }
      if (session !== undefined) {
        await explain(terminal, files, request, await fileStore(session), true)
        return
      }
      const store = createSessionStore()
      try {
        await explain(terminal, files, request, store, false)
      } finally {
        await store.close()
      }
    })
  return withExamples(command, [
    'mintkeeper explain GET https://app.example/notes -c mintkeeper.yaml --session whoami.json',
    "mintkeeper explain POST http://127.0.0.1:4455/v1/graphql -c mintkeeper.yaml -H 'Cookie: ory_kratos_session=…'",
  ])
}

async function explain(
  terminal: Terminal,
  configs: readonly string[],
  request: ExplainedRequest,
  sessions: SessionStore,
  addCookies: boolean,
): Promise<void> {
  const { state, problems } = await load({ configFiles: configs, env: terminal.env, runtime: offlineRuntime(sessions) })
  if (state === undefined) {
    printProblems(terminal, problems)
    throw new CommandError('The config cannot be used.', { hint: 'Correct the errors above first.' })
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
  settings: ReturnType<typeof proxySnapshot>['settings'],
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
async function fileStore(file: string): Promise<SessionStore> {
  let body: string
  try {
    body = await readFile(file, 'utf8')
    JSON.parse(body)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CommandError(`The session file cannot be used: ${reason}.`, {
      exitCode: 2,
      hint: "It holds what the session store answers, such as the output of `curl -H 'Cookie: …' http://kratos:4433/sessions/whoami`.",
    })
  }
  return { ask: (question) => Promise.resolve(readAnswer({ status: 200, headers: {}, body }, question)) }
}
