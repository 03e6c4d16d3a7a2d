import { defineConfig } from 'vitest/config';

/** `npm run test:cluster`: apart from the other tests, since its programs take a quarter of an hour to build once. */
export default defineConfig({
  test: {
    include: ['test/cluster/**/*.test.ts'],
    pool: 'forks',
    globalSetup: ['test/support/tools/set-up.ts'],
    // A cluster is enough for two cores.
    fileParallelism: false,
    testTimeout: 240_000,
    hookTimeout: 120_000,
  },
});
