import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePorts } from '../../demo/ports.ts'
import { startStack, type Stack } from '../../demo/stack.ts'
import { chromiumInstalled, launchChromium, type Chromium } from '../support/chromium.ts'

const messages: string[] = []
let stack: Stack
let chromium: Chromium
let logs: string

// Where CI is set, a missing Chromium is a failure.
describe.skipIf(!chromiumInstalled() && process.env['CI'] === undefined)('a real browser', () => {
  beforeAll(async () => {
    logs = await mkdtemp(path.join(tmpdir(), 'mintkeeper-e2e-'))
    stack = await startStack({ ports: await freePorts(), logs, say: (message) => messages.push(message) })
    chromium = await launchChromium()
  })
  afterAll(async () => {
    await chromium?.close()
    await stack?.stop()
    await rm(logs, { recursive: true, force: true })
  })

  it('logs in, shows the rows of whoever logged in, and none after logging out', async () => {
    const { publicUrl, users } = stack
    const tab = await chromium.newTab()
    const atLogin = `location.pathname === '/login' && document.readyState === 'complete'`
    const atNotes = `location.pathname === '/' && document.readyState === 'complete'`
    const text = async (): Promise<string> => String(await tab.evaluate('document.body.innerText'))
    const othersOf = (name: string): string[] =>
      users.filter((user) => user.name !== name).flatMap(({ notes }) => notes)

    for (const { name, email, password, notes } of users) {
      await tab.open(`${publicUrl}/`)
      await tab.waitFor(atLogin)
      expect(await text()).toContain('stands in for Ory Kratos')

      await tab.type('#identifier', email)
      await tab.type('#password', 'a wrong one')
      await tab.click('button')
      await tab.waitFor(`document.querySelector('[role=alert]') !== null`)
      expect(await text()).toContain('The provided credentials are invalid')

      await tab.type('#identifier', email)
      await tab.type('#password', password)
      await tab.click('button')
      await tab.waitFor(atNotes)
      const page = await text()
      expect(page).toContain(email)
      expect(notes.filter((note) => !page.includes(note))).toEqual([])
      expect(othersOf(name).filter((note) => page.includes(note))).toEqual([])
      expect(await tab.evaluate('document.cookie')).toBe('')

      await tab.click('button')
      await tab.waitFor(atLogin)
      await tab.open(`${publicUrl}/`)
      await tab.waitFor(atLogin)
      const afterwards = await text()
      expect(notes.filter((note) => afterwards.includes(note))).toEqual([])
    }
    expect(messages.filter((message) => message.includes('stopped'))).toEqual([])
  })
})
