import { defineConfig } from 'vitest/config'

/**
 * Folders whose files share a process, one set after the other: loading `src` anew for each file takes as long as most
 * tests do. Every other file has a process of its own: those that look at all of the program, or for long.
 */
const shared: Readonly<Record<string, readonly string[]>> = {
  texts: ['config', 'documents', 'languages', 'rules'],
  identity: ['revocation', 'sessions', 'tokens'],
  pipeline: ['oauth2', 'outbound', 'pipeline', 'telemetry'],
  fronts: ['api', 'clients', 'proxy', 'security', 'websocket'],
  programs: ['cli', 'demo', 'deploy', 'docs', 'examples', 'ory_proxy', 'quickstart'],
}

/** They turn the timers of their process by hours, and with them whatever others left: alone, too. */
const clocks = ['rules/repositories/poll', 'telemetry/log_batch', 'tokens/key_upkeep'].map(
  (file) => `test/${file}.test.ts`,
)

const testsOf = (folders: readonly string[]): string[] => folders.map((folder) => `test/${folder}/**/*.test.ts`)

/** Far beyond what anything takes, as a busy machine is slow: no test fails sooner for being patient. */
const limits = { testTimeout: 20_000, hookTimeout: 60_000, expect: { poll: { timeout: 10_000 } } }

export default defineConfig({
  test: {
    globalSetup: ['test/support/vector_census.ts'],
    projects: [
      {
        test: {
          ...limits,
          name: 'alone',
          include: ['test/**/*.test.ts'],
          exclude: testsOf(Object.values(shared).flat()),
        },
      },
      { test: { ...limits, name: 'clocks', include: clocks } },
      ...Object.entries(shared).map(([name, folders]) => ({
        test: { ...limits, name, include: testsOf(folders), exclude: clocks, isolate: false },
      })),
    ],
  },
})
