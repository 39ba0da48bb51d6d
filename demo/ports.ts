/** The ports of the demo: one block that can be moved as a whole. */
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
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
const probe = async (port: number): Promise<{ port: number; release: () => Promise<void> }> => {
  const server = createServer().listen(port, host)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    release: async () => {
      const closed = once(server, 'close')
      server.close()
      await closed
    },
  }
}

/** Throws DemoFailure that names the first port that is taken, and whose it would have been. */
export const fixedPorts = async (first: number): Promise<Ports> => {
  const ports = Object.fromEntries(names.map((name, index) => [name, first + index])) as Ports
  for (const name of names) {
    try {
      const { release } = await probe(ports[name])
      await release()
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

/** Ports that nobody used a moment ago; all are held until all are known, so that they differ. */
export const freePorts = async (): Promise<Ports> => {
  const held = await Promise.all(names.map(() => probe(0)))
  await Promise.all(held.map(({ release }) => release()))
  return Object.fromEntries(names.map((name, index) => [name, held[index]?.port])) as Ports
}
