import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'
import { ALL, LANES } from './vitest.lanes.ts'

// Tests run the packages' sources, not dist: every package.json offers them under this condition.
const conditions = ['@bus/source', ...defaultServerConditions]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'quick',
          include: [...ALL],
          exclude: ['**/node_modules/**', ...Object.values(LANES).flat()],
          // One process runs many files: loading everything anew for each took most of the time.
          isolate: false,
        },
      },
      ...Object.entries(LANES).map(([name, files]) => ({
        extends: true as const,
        test: { name, include: [...files] },
      })),
    ],
    setupFiles: ['packages/websocket/test/strict.ts'],
    // All cores: by default one is kept free, which on two halves the speed.
    maxWorkers: '100%',
    restoreMocks: true,
    unstubGlobals: true,
    // So wide that only what hangs meets them, also on a machine that is busy with other things.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 100_000 } },
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**'],
      reporter: ['text-summary', 'html', 'lcov'],
    },
  },
})
