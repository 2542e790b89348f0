import { defineConfig } from 'vitest/config'

// One run of everything: tables, properties, end to end over real sockets on loopback.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    passWithNoTests: false,
  },
})
