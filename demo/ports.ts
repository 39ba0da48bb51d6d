/** The ports of the demo: one block that can be moved as a whole. */
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { DemoFailure, systemCode } from './failure.ts'

export const host = '127.0.0.1'

/** In the order in which they follow the first port. */
const purposes = {
  proxy: "Mintkeeper's proxy",
  api: "Mintkeeper's API",
  metrics: "Mintkeeper's metrics",
  kratos: 'the Kratos stand-in',
  kratosAdmin: "the Kratos stand-in's admin API",
  postgrest: 'PostgREST',
  postgrestAdmin: "PostgREST's health check",
  page: 'the page of the demo',
  postgres: 'PostgreSQL',
} as const

export type Ports = Readonly<Record<keyof typeof purposes, number>>

const names = Object.keys(purposes) as (keyof typeof purposes)[]

/** Opens a port for a moment; rejects with node's error when it is taken. */
const probe = async (port: number): Promise<void> => {
  const server = createServer().listen(port, host)
  await once(server, 'listening')
  const closed = once(server, 'close')
  server.close()
  await closed
}

const block = (first: number): Ports => Object.fromEntries(names.map((name, index) => [name, first + index])) as Ports

/** Throws DemoFailure that names the first port that is taken, and whose it would have been. */
export const fixedPorts = async (first: number): Promise<Ports> => {
  const ports = block(first)
  for (const name of names) {
    try {
      await probe(ports[name])
    } catch (error) {
      const why = systemCode(error) === 'EADDRINUSE' ? 'is taken' : `cannot be opened (${systemCode(error)})`
      throw new DemoFailure(
        `Port ${ports[name]}, meant for ${purposes[name]}, ${why}.\n` +
          `Stop what uses it, or move the demo: npm run demo -- --port ${first + 1000}`,
      )
    }
  }
  return ports
}

/**
 * The first of so many free ports in a row. They lie below the range from which systems give ports to outgoing
 * connections, any of which could otherwise take one before it is listened on.
 */
export const freeBlock = async (size: number): Promise<number> => {
  for (;;) {
    const first = 20_000 + randomInt(12_000 - size)
    try {
      for (let port = first; port < first + size; port++) await probe(port)
      return first
    } catch (error) {
      if (systemCode(error) !== 'EADDRINUSE') throw error
    }
  }
}

/** Ports that nobody used a moment ago. */
export const freePorts = async (): Promise<Ports> => block(await freeBlock(names.length))
