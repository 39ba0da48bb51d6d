/**
 * Debian's Chromium, driven over the DevTools protocol through a pipe: no port, no driver, nothing downloaded.
 * Just what a test of a login needs: open, type, click, read, wait, photograph.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

const program = '/usr/bin/chromium'
const patience = 15_000

export const chromiumInstalled = (): boolean => existsSync(program)

interface Tab {
  /** Resolves when the page has loaded. */
  readonly open: (url: string) => Promise<void>
  /** The value of a JavaScript expression on the page; it must be JSON. */
  readonly evaluate: (expression: string) => Promise<unknown>
  /** Resolves when the expression is true on whatever page is open by then; rejects after 15 s. */
  readonly waitFor: (expression: string) => Promise<void>
  /** Types into the element that the CSS selector finds, in the place of what is there. */
  readonly type: (selector: string, text: string) => Promise<void>
  /** Presses the mouse in the middle of the element. */
  readonly click: (selector: string) => Promise<void>
  /** Writes a PNG. */
  readonly screenshot: (file: string) => Promise<void>
}

export interface Chromium {
  readonly newTab: () => Promise<Tab>
  readonly close: () => Promise<void>
}

interface Message {
  readonly id?: number
  readonly result?: Record<string, unknown>
  readonly error?: { readonly message: string }
}

type Send = (method: string, params?: object, sessionId?: string) => Promise<Record<string, unknown>>

/** Messages are JSON, each ended by a NUL. */
const createConnection = (input: Writable, output: Readable): { send: Send; fail: (reason: string) => void } => {
  const waiting = new Map<number, (message: Message) => void>()
  let lastId = 0
  let rest = ''
  output.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\0')
    rest = parts.pop() ?? ''
    for (const part of parts) {
      const message = JSON.parse(part) as Message
      if (message.id === undefined) continue
      waiting.get(message.id)?.(message)
      waiting.delete(message.id)
    }
  })
  input.on('error', () => undefined)
  return {
    send: (method, params = {}, sessionId?: string) =>
      new Promise((resolve, reject) => {
        const id = ++lastId
        waiting.set(id, ({ result = {}, error }) => {
          if (error === undefined) resolve(result)
          else reject(new Error(`${method}: ${error.message}`))
        })
        input.write(`${JSON.stringify({ id, method, params, ...(sessionId !== undefined && { sessionId }) })}\0`)
      }),
    fail(reason) {
      for (const settle of waiting.values()) settle({ error: { message: reason } })
      waiting.clear()
    },
  }
}

const find = (selector: string): string => `document.querySelector(${JSON.stringify(selector)})`

const createTab = (send: (method: string, params?: object) => Promise<Record<string, unknown>>): Tab => {
  const evaluate = async (expression: string): Promise<unknown> => {
    const { result, exceptionDetails } = (await send('Runtime.evaluate', { expression, returnByValue: true })) as {
      result: { value?: unknown }
      exceptionDetails?: { exception?: { description?: string } }
    }
    if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception?.description ?? expression)
    return result.value
  }

  /** Between two pages there is nothing to ask: that counts as not yet. */
  const waitFor = async (expression: string): Promise<void> => {
    const deadline = Date.now() + patience
    while ((await evaluate(expression).catch(() => false)) !== true) {
      if (Date.now() > deadline) {
        throw new Error(
          `Never true: ${expression}\n${String(await evaluate('location.href + "\\n" + document.body.innerText'))}`,
        )
      }
      await sleep(20)
    }
  }

  return {
    evaluate,
    waitFor,
    async open(url) {
      const { errorText } = (await send('Page.navigate', { url })) as { errorText?: string }
      if (errorText !== undefined) throw new Error(`${url}: ${errorText}`)
      await waitFor(`document.readyState === 'complete'`)
    },
    async type(selector, text) {
      await evaluate(`${find(selector)}.focus(); ${find(selector)}.select()`)
      await send('Input.insertText', { text })
    },
    async click(selector) {
      const place = (await evaluate(
        `(() => { const element = ${find(selector)}; element.scrollIntoView({ block: 'center' });
          const { x, y, width, height } = element.getBoundingClientRect(); return { x: x + width / 2, y: y + height / 2 } })()`,
      )) as object
      for (const type of ['mousePressed', 'mouseReleased']) {
        await send('Input.dispatchMouseEvent', { ...place, type, button: 'left', clickCount: 1 })
      }
    },
    async screenshot(file) {
      const { data } = await send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true })
      await writeFile(file, String(data), 'base64')
    },
  }
}

export const launchChromium = async (): Promise<Chromium> => {
  const home = await mkdtemp(path.join(tmpdir(), 'chromium-'))
  const child = spawn(
    program,
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-dev-shm-usage',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--window-size=900,900',
      '--remote-debugging-pipe',
      `--user-data-dir=${home}`,
    ],
    // The browser reads commands from descriptor 3 and answers on 4.
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'], HOME: home } },
  )
  const ended = once(child, 'close')
  const { send, fail } = createConnection(child.stdio[3] as Writable, child.stdio[4] as Readable)
  ended.then(
    () => fail('Chromium has ended'),
    (error: unknown) => fail(String(error)),
  )

  return {
    async newTab() {
      const { targetId } = await send('Target.createTarget', { url: 'about:blank' })
      const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true })
      return createTab((method, params) => send(method, params, String(sessionId)))
    },
    async close() {
      const timer = setTimeout(() => child.kill('SIGKILL'), patience)
      await send('Browser.close').catch(() => undefined)
      await ended
      clearTimeout(timer)
      await rm(home, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
