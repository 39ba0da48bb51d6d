/** Tells other gateways of revocations by a channel of Redis or Valkey, and hears of theirs. */
import type * as IoRedis from 'ioredis'
import type { Revocation } from '../pipeline/contract/revocations.ts'
import {
  backoff,
  HEARTBEAT,
  loadPackage,
  readMessage,
  reasonOf,
  type RevocationSource,
  type SourceOptions,
} from './source.ts'

export interface RedisOptions extends SourceOptions {
  /** Unique among the processes that share the channel. */
  readonly self: string
}

export interface RedisChannel extends RevocationSource {
  /** Told to the others at once, or when there is a connection again. Never throws. */
  send(revocation: Revocation): void
}

type Client = typeof IoRedis.Redis

/** Rejects with MissingPackageError. */
export const loadRedis = async (): Promise<Client> =>
  (await loadPackage('revocation.redis', 'ioredis', () => import('ioredis'))).Redis

/** Messages that wait for a connection; more of them are one that says everything. */
const MAX_UNSENT = 1000

/** Connects, and connects again whenever the connection is lost, until it is closed. */
export function openRedis(RedisClient: Client, options: RedisOptions): RedisChannel {
  const { channel, events, self, heartbeat = HEARTBEAT } = options
  let unsent: string[] = []
  let listening = false
  let beating: NodeJS.Timeout | undefined

  const settings = {
    lazyConnect: true,
    // What waits is kept here, where it is bounded.
    enableOfflineQueue: false,
    autoResubscribe: false,
    maxRetriesPerRequest: null,
    connectTimeout: heartbeat.timeout,
    commandTimeout: heartbeat.timeout,
    retryStrategy: backoff,
  }
  // A connection that has subscribed may do nothing else.
  const subscriber: IoRedis.Redis = new RedisClient(options.url, settings)
  const publisher: IoRedis.Redis = new RedisClient(options.url, settings)

  const lose = (reason: string): void => {
    clearInterval(beating)
    if (!listening) return
    listening = false
    events.onLost(reason)
  }

  const subscribe = async (): Promise<void> => {
    try {
      await subscriber.subscribe(channel)
    } catch (error) {
      events.onFailure(reasonOf(error))
      subscriber.disconnect(true)
      return
    }
    listening = true
    events.onConnected()
    beating = setInterval(() => {
      // A connection that was cut without a word looks like a silent one.
      subscriber.ping().catch(() => subscriber.disconnect(true))
    }, heartbeat.interval).unref()
  }

  const flush = (): void => {
    const waiting = unsent
    unsent = []
    for (const text of waiting) publish(text)
  }

  const publish = (text: string): void => {
    publisher.publish(channel, text).catch(() => {
      unsent = unsent.length < MAX_UNSENT ? [...unsent, text] : [message({ everything: true })]
    })
  }

  const message = (revocation: Revocation): string => JSON.stringify({ from: self, ...revocation })

  subscriber.on('ready', () => void subscribe())
  subscriber.on('close', () => lose('closed'))
  subscriber.on('error', (error) => events.onFailure(reasonOf(error)))
  subscriber.on('message', (_channel, text) => {
    if (!isFrom(self, text)) events.onRevocation(readMessage(text))
  })
  publisher.on('ready', flush)
  // It tells nothing that the other connection does not tell.
  publisher.on('error', () => undefined)
  // What fails here is told by the events, and tried again.
  for (const client of [subscriber, publisher]) client.connect().catch(() => undefined)

  return {
    send: (revocation) => publish(message(revocation)),
    close() {
      listening = false
      clearInterval(beating)
      for (const client of [subscriber, publisher]) client.disconnect()
      return Promise.resolve()
    },
  }
}

function isFrom(self: string, text: string): boolean {
  try {
    return (JSON.parse(text) as { readonly from?: unknown } | null)?.from === self
  } catch {
    return false
  }
}
