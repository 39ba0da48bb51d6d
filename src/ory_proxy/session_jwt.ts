import { defineMutator } from '../pipeline/contract/handler.ts'
import type { Mutation } from '../pipeline/contract/outcomes.ts'
import { idToken } from '../pipeline/mutators/id_token.ts'

/** The client's own Authorization never stands where a token would. */
const withoutToken: Mutation = { edits: [['authorization', null]] }

/** `id_token` for applications that visitors without a session reach, too: those go on without any Authorization. */
export const sessionJwt = defineMutator({
  name: 'session_jwt',
  config: idToken.config,
  async create(config, setup) {
    const step = await idToken.create(config, setup)
    return {
      ...step,
      mutate: (exchange) => (exchange.session.subject === '' ? withoutToken : step.mutate(exchange)),
    }
  },
})
