/** Which build this is. */
import { readFileSync } from 'node:fs'

export interface Build {
  /** Semantic version of the package. */
  readonly version: string
  /** Commit and time of the build as the container image knows them, else `unknown`. */
  readonly gitHash: string
  readonly buildTime: string
}

/** Reads the package's own manifest; `env` is where the image's build arguments end up. */
export function readBuild(env: Readonly<Record<string, string | undefined>>): Build {
  // The same two levels up from src/ and from dist/.
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(manifest) as { version: string }
  return {
    version,
    gitHash: env['MINTKEEPER_GIT_HASH'] ?? 'unknown',
    buildTime: env['MINTKEEPER_BUILD_TIME'] ?? 'unknown',
  }
}
