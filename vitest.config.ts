import { defineConfig } from 'vitest/config'

/**
 * Folders whose files share a process, one set after the other: loading `src` anew for each file takes as long as most
 * tests do. What starts, measures or stops processes has one of its own for each file, and so has every other folder.
 */
const shared: Readonly<Record<string, readonly string[]>> = {
  texts: ['config', 'documents', 'languages', 'rules'],
  identity: ['revocation', 'sessions', 'tokens'],
  pipeline: ['oauth2', 'outbound', 'pipeline', 'telemetry'],
  fronts: ['api', 'clients', 'proxy', 'security', 'websocket'],
}

const testsOf = (folders: readonly string[]): string[] => folders.map((folder) => `test/${folder}/**/*.test.ts`)

const limits = { testTimeout: 20_000, hookTimeout: 60_000 }

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
      ...Object.entries(shared).map(([name, folders]) => ({
        test: { ...limits, name, include: testsOf(folders), isolate: false },
      })),
    ],
  },
})
