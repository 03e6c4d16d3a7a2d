import { defineConfig } from 'vitest/config';

/** `npm run test:cluster`. Apart from the other tests, because building its programs takes a quarter of an hour, once. */
export default defineConfig({
  test: {
    include: ['test/cluster/**/*.test.ts'],
    pool: 'forks',
    globalSetup: ['test/support/tools/set-up.ts'],
    // One cluster at a time is enough for two cores.
    fileParallelism: false,
    testTimeout: 240_000,
    hookTimeout: 120_000,
  },
});
