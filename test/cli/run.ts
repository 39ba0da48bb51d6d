/** Runs the command line: in this process where only its words matter, in one of its own where its exit does. */
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { run } from '../../src/cli/main.ts'
import type { Env } from '../../src/cli/terminal.ts'
import { environment } from '../support/environment.ts'

export interface Result {
  readonly exitCode: number | null
  readonly out: string
  readonly err: string
}

/** One command in this process, without colour. */
export async function cli(args: readonly string[], env: Env = {}): Promise<Result> {
  let out = ''
  let err = ''
  const exitCode = await run(args, {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    env,
    colorOut: false,
    colorErr: false,
  })
  return { exitCode, out, err }
}

const bin = fileURLToPath(new URL('../../src/bin.ts', import.meta.url))

export interface Spawned {
  readonly child: ChildProcessByStdio<null, Readable, Readable>
  /** Resolves when everything has been written and the process has ended. */
  readonly ended: Promise<Result>
  /** Resolves with all of stderr once it matches; rejects when the process ends before. */
  errMatching(pattern: RegExp): Promise<RegExpExecArray>
}

/** One command in a process of its own. */
export function spawnCli(args: readonly string[], env: Env = {}, nodeArgs: readonly string[] = []): Spawned {
  const child = spawn(process.execPath, [...nodeArgs, bin, ...args], {
    env: { ...environment, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  const waiting = new Set<() => void>()
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
    for (const check of waiting) check()
  })
  const ended = new Promise<Result>((resolve) => {
    child.on('close', (exitCode) => resolve({ exitCode, out, err }))
  })
  return {
    child,
    ended,
    errMatching: (pattern) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          const match = pattern.exec(err)
          if (match === null) return
          waiting.delete(check)
          resolve(match)
        }
        waiting.add(check)
        check()
        void ended.then((result) => reject(new Error(`ended without ${pattern}: ${JSON.stringify(result)}`)))
      }),
  }
}

export interface Folder extends Disposable {
  readonly path: string
  file(name: string): string
  write(name: string, content: string | object): string
}

/** A folder of its own for config and rules. */
export function folder(): Folder {
  const directory = mkdtempSync(path.join(tmpdir(), 'mintkeeper-cli-'))
  const file = (name: string): string => path.join(directory, name)
  return {
    path: directory,
    file,
    write(name, content) {
      writeFileSync(file(name), typeof content === 'string' ? content : JSON.stringify(content, null, 2))
      return file(name)
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  }
}

/** Config and rules of a small gateway on free ports of the loopback interface. */
export function writeGateway(into: Folder, overrides: object = {}): string {
  const listener = { host: '127.0.0.1', port: 0 }
  into.write('rules.yaml', rules)
  return into.write('config.json', {
    profile: 'secure',
    log: { format: 'json' },
    serve: { proxy: listener, api: listener, prometheus: listener, shutdown: { drain: '0s' } },
    access_rules: { repositories: [`file://${into.file('rules.yaml')}`] },
    authenticators: {
      anonymous: { enabled: true },
      cookie_session: {
        enabled: true,
        config: {
          check_session_url: 'http://127.0.0.1:9/sessions/whoami',
          subject_from: 'identity.id',
          extra_from: '@this',
        },
      },
    },
    authorizers: { allow: { enabled: true }, deny: { enabled: true } },
    mutators: { noop: { enabled: true }, header: { enabled: true, config: { headers: {} } } },
    ...overrides,
  })
}

const rules = `
- id: public
  match: { url: 'http://app.example/public/<.*>', methods: [GET] }
  authenticators: [{ handler: anonymous }]
  authorizer: { handler: allow }
  mutators: [{ handler: noop }]
  upstream: { url: 'http://127.0.0.1:9/base', strip_path: /public }
- id: notes
  match: { url: 'http://app.example/notes', methods: [GET, POST] }
  authenticators: [{ handler: cookie_session }]
  authorizer: { handler: allow }
  mutators: [{ handler: header, config: { headers: { X-User: '{{ print .Subject }}', X-Api-Token: 'a-very-long-secret-value' } } }]
  upstream: { url: 'http://127.0.0.1:9' }
- id: closed
  match: { url: 'https://app.example/closed', methods: [GET] }
  authenticators: [{ handler: anonymous }]
  authorizer: { handler: deny }
  mutators: [{ handler: noop }]
  upstream: { url: 'http://127.0.0.1:9' }
`
