import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/cluster/**'],
    pool: 'forks',
    // Most of the time goes in waiting for brokers, clocks and processes: no core need stay free for Vitest itself.
    maxWorkers: '100%',
    testTimeout: 20_000,
    hookTimeout: 120_000,
  },
});
