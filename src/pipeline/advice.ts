/** What is legal in a rule but probably a mistake. */
import type { Problem } from '../documents/problem.ts'
import type { AdvisedRule } from './advice/advised_rule.ts'
import { authenticatorAdvice } from './advice/authenticators.ts'
import { cacheAdvice } from './advice/caches.ts'
import { dataServerAdvice } from './advice/data_servers.ts'
import { errorHandlerAdvice } from './advice/error_handlers.ts'
import { kratosSessionAdvice } from './advice/kratos_sessions.ts'
import { mutatorAdvice } from './advice/mutators.ts'
import { strippedPathAdvice } from './advice/stripped_path.ts'
import { webSocketAdvice } from './advice/websockets.ts'

export function adviceOn(advised: AdvisedRule): readonly Problem[] {
  return [
    ...authenticatorAdvice(advised),
    ...kratosSessionAdvice(advised),
    ...mutatorAdvice(advised),
    ...dataServerAdvice(advised),
    ...errorHandlerAdvice(advised),
    ...cacheAdvice(advised),
    ...strippedPathAdvice(advised),
    ...webSocketAdvice(advised),
  ]
}
