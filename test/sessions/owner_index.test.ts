import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Revocation } from '../../src/pipeline/contract/revocations.ts'
import { createOwnerIndex } from '../../src/sessions/owner_index.ts'

interface Item {
  readonly id?: string
  readonly identity?: string
}

const name = fc.constantFrom('a', 'b', 'c')
const item: fc.Arbitrary<Item> = fc.record({ id: name, identity: name }, { requiredKeys: [] })
const revocation: fc.Arbitrary<Revocation> = fc.oneof(
  fc.record({ session: name }),
  fc.record({ identity: name }),
  fc.constant({ everything: true as const }),
)

/** Whether a revocation ends it, looked at by itself. */
const ends = (by: Revocation, { id, identity }: Item): boolean =>
  'session' in by
    ? id === undefined || id === by.session
    : 'everything' in by || identity === undefined || identity === by.identity

describe('the index of owners', () => {
  it('finds what a walk through all would find, whatever was added and taken away', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(item, fc.boolean())), revocation, (items, by) => {
        const index = createOwnerIndex<Item>()
        for (const [each] of items) index.add(each, each)
        for (const [each, taken] of items) if (taken) index.delete(each, each)
        const expected = items.filter(([each, taken]) => !taken && ends(by, each)).map(([each]) => each)
        const found = index.of(by)
        expect(new Set(found)).toEqual(new Set(expected))
        expect(found).toHaveLength(expected.length)
      }),
    )
  })
})
