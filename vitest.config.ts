import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'

// Tests run the packages' sources, not dist: every package.json offers them under this condition.
const conditions = ['@bus/source', ...defaultServerConditions]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'packages/*/test/**/*.test.ts',
      'examples/*/test/**/*.test.ts',
      'benchmarks/test/**/*.test.ts',
      'mutants/test/**/*.test.ts',
      'reliability/test/**/*.test.ts',
      'scripts/**/*.test.mjs',
      'tools/*/*.test.mjs',
    ],
    setupFiles: ['packages/websocket/test/strict.ts'],
    // All cores: by default one is kept free, which on two halves the speed.
    maxWorkers: '100%',
    restoreMocks: true,
    unstubGlobals: true,
    testTimeout: 10_000,
    hookTimeout: 20_000,
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**'],
      reporter: ['text-summary', 'html', 'lcov'],
    },
  },
})
