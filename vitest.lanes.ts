/** Which tests run where: the quick ones before each commit, the others in lanes of their own. */

/** Every test file. Those of a lane are not among the quick ones. */
export const ALL: readonly string[] = [
  'packages/*/src/**/*.test.ts',
  'packages/*/test/**/*.test.ts',
  'examples/*/test/**/*.test.ts',
  'benchmarks/test/**/*.test.ts',
  'mutants/test/**/*.test.ts',
  'reliability/test/**/*.test.ts',
  'scripts/**/*.test.mjs',
  'tools/*/*.test.mjs',
]

/** The files of each lane, which `npm run test:<lane>` runs. */
export const LANES: Readonly<Record<string, readonly string[]>> = {
  /** A small run of the benchmarks, and the count of the path of an event. */
  benchmarks: ['benchmarks/test/{path,smoke}.test.ts'],
  /** The published suites, against every medium and wire, and against hubs that break them. */
  conformance: [
    'packages/*/test/conformance/*.test.ts',
    'packages/*/test/conformance-compositions.test.ts',
    'packages/*/test/hub-protocol{,-lies}.test.ts',
  ],
  /** Whether the suites catch transports that are broken on purpose. */
  mutants: ['mutants/test/zoo.test.ts', 'packages/*/test/**/*.mutants.ts'],
  /** Several processes of ours at once, some of which are killed or stopped. */
  processes: [
    'examples/github-webhooks/test/job.test.ts',
    'examples/hub-in-your-server/test/hub-in-your-server.test.ts',
    'packages/core/test/types/compilers.test.ts',
    'scripts/docs/{jest,pasted}.test.mjs',
    'packages/*/test/{crashed-subscribers,frozen-processes,process,process-end,recorder-process}.test.ts',
  ],
  /** A small run of every suite of `npm run reliability`. */
  reliability: ['reliability/test/run.test.ts'],
}
