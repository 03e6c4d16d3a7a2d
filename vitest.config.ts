import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import { toolsNeededBy } from './test/support/tools/needed.ts';

/** They ask for no tool, but take their time: `npm run test:quick` leaves them to `npm test`. */
const slow: string[] = [];

const withTools = globSync('test/**/*.test.ts').filter((file) => toolsNeededBy(resolve(file)).size > 0);
const apart = ['test/cluster/**'];

export default defineConfig({
  test: {
    pool: 'forks',
    // Most of the time goes in waiting for brokers, clocks and processes: no core need stay free for Vitest itself.
    maxWorkers: '100%',
    // The command starts in half the time.
    setupFiles: ['test/support/patience.ts'],
    expect: { poll: { timeout: 30_000 } },
    env: { NODE_COMPILE_CACHE: resolve('.cache/node') },
    projects: [
      {
        extends: true,
        test: { name: 'quick', include: ['test/**/*.test.ts'], exclude: [...apart, ...withTools, ...slow] },
      },
      { extends: true, test: { name: 'slow', include: slow } },
      {
        extends: true,
        test: {
          name: 'tools',
          include: withTools,
          exclude: apart,
          globalSetup: ['test/support/tools/set-up.ts'],
        },
      },
    ],
    // For what hangs: nothing is to fail by the time it takes on a busy machine.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
