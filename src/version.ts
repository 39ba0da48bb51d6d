import { readFileSync } from 'node:fs'

// One directory up both from `src` and from the built `dist`.
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly version: string
}

/** Semantic version of this package. */
export const { version } = manifest
