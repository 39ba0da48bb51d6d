/** What Mintkeeper does otherwise on purpose: each as narrow as it can be told, with the reason users are given. */
import type { Deliberate } from './deliberate/context.ts'
import { inForwarding } from './deliberate/forwarding.ts'
import { atTheGate } from './deliberate/gate.ts'
import { inAnswers } from './deliberate/answers.ts'

const all: readonly Deliberate[] = [...atTheGate, ...inAnswers, ...inForwarding]

/** Those of form first, so that they do not count for another. */
export const deliberate: readonly Deliberate[] = [
  ...all.filter(({ formal }) => formal === true),
  ...all.filter(({ formal }) => formal !== true),
]
