import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { tracing } from '../../src/config/schema/telemetry.ts'
import { mintkeeper, root, text } from '../deploy/files.ts'

const readme = text('examples/opentelemetry/README.md')

interface Section {
  readonly properties?: Readonly<Record<string, Section>>
}

/** The dotted names of everything in a section that is no section itself. */
function leaves({ properties }: Section, name: string): readonly string[] {
  if (properties === undefined) return [name]
  return Object.entries(properties).flatMap(([key, section]) => leaves(section, `${name}.${key}`))
}

describe('examples/opentelemetry', () => {
  it('has a sound config, one command and one thing to try', async () => {
    const [, files = ''] = /mintkeeper serve (-c .*)$/m.exec(readme) ?? []
    const cwd = path.join(root, 'examples', 'opentelemetry')
    const { exitCode, err } = await mintkeeper(['validate', ...files.split(' ')], { cwd })
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
    expect(readme.match(/^curl /gm)).toHaveLength(1)
  })

  it('says what takes the place of each key of `tracing`', () => {
    const keys = [...readme.matchAll(/^\| `(tracing\.[\w.]+)`/gm)].map(([, key]) => key)
    expect(keys).toEqual(leaves(z.toJSONSchema(tracing) as Section, 'tracing'))
  })
})
