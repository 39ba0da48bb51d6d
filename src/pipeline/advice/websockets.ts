/** WebSockets that a rule opens unread, or cannot open at all. */
import type { Problem } from '../../documents/problem.ts'
import { type AdvisedRule, warning } from './advised_rule.ts'

export function webSocketAdvice({ rule, upstream, locate }: AdvisedRule): readonly Problem[] {
  const { match } = rule
  const opens = match.methods.includes('GET')
  const { websocket } = rule.upstream
  if (websocket !== undefined && websocket !== false && !opens && match.rpc === undefined) {
    const message = 'No WebSocket can be opened: its handshake is a GET request, and the rule has no such method'
    return [warning(message, locate(['match', 'methods']), 'Add GET to `methods`, or take `websocket` out.')]
  }
  const { webSocket } = upstream ?? { webSocket: false }
  if (!opens || webSocket === false || webSocket?.graphql !== undefined) return []
  if (!/\/v1\/graphql\b/.test(match.url + rule.upstream.url)) return []
  return [
    warning(
      "The upstream looks like Hasura, which takes a client's word for who it is from the first message on a WebSocket",
      locate(['upstream', websocket === undefined ? 'url' : 'websocket']),
      'Give `upstream.websocket` the key `graphql`, so that the gateway rebuilds that message; `websocket: false` opens none.',
    ),
  ]
}
