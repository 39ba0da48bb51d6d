/** The key that Mintkeeper signs with: made on the first start, then kept. */
import { randomUUID } from 'node:crypto'
import { access, link, rm, writeFile } from 'node:fs/promises'
import { generateKeySet } from '../src/tokens/generate.ts'
import { systemCode } from './failure.ts'

/** Makes the file, readable for its owner only, unless it is there. Returns whether it was made. */
export const ensureSigningKey = async (file: string): Promise<boolean> => {
  const exists = await access(file).then(
    () => true,
    () => false,
  )
  if (exists) return false
  const draft = `${file}.${randomUUID()}.tmp`
  await writeFile(draft, `${JSON.stringify(await generateKeySet({ alg: 'ES256' }), null, 2)}\n`, { mode: 0o600 })
  try {
    // Appears as a whole, and the first one wins when two demos start at once.
    await link(draft, file)
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw error
  } finally {
    await rm(draft)
  }
}
