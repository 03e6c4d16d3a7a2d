import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import { isImportedBy, toolsNeededBy } from './test/support/tools/needed.ts';

const files = globSync('test/**/*.test.ts');
const withTools = files.filter((file) => toolsNeededBy(resolve(file)).size > 0);
const apart = ['test/cluster/**'];
/** These need only Node too, but processes of their own, or many seconds. `npm run test:quick` leaves them to `npm test`. */
const slow = [
  ...files.filter(
    (file) => !withTools.includes(file) && isImportedBy(resolve(file), resolve('test/support/command.ts')),
  ),
  'test/sources/github/{complaints,faults}-*.test.ts',
  'test/sources/github/{bad-input,bad-input-flood,owners,parts,restart,scaled-job}.test.ts',
  'test/sources/github/limits.test.ts',
  'test/ingest/limits.test.ts',
  'test/cli/explain-terminal.test.ts',
  'test/unit/demo/main.test.ts',
  'test/rpc/conformance-github.test.ts',
  'test/chaos/harness.test.ts',
];
/** Unit tests of something that happens once in a process, and those that count all timers. */
const alone = [
  'test/unit/sources/sqs/quiet.test.ts',
  'test/unit/sources/kafka/upstream/watch/{no-lost-wake.property,polls,watcher}.test.ts',
  'test/unit/sources/kafka/upstream/wire/kafkajs-connection.test.ts',
  'test/unit/outbound/proxies.test.ts',
  'test/unit/subjects/hints.test.ts',
  'test/unit/{telemetry/tracing,walks}.test.ts',
  'test/unit/triggers/{answers,life,nudges}.test.ts',
];

/** These mostly wait, for clocks and processes, so two share a core. The others come after them, one on each core. */
const shared = { maxWorkers: 2 * availableParallelism(), sequence: { groupOrder: 0 } };
const heavy = { sequence: { groupOrder: 1 } };

/** For the processes of Vitest and those that tests start: they compile nothing twice. */
process.env['NODE_COMPILE_CACHE'] ??= resolve('.cache/node');

export default defineConfig({
  test: {
    pool: 'forks',
    // Node runs TypeScript itself: nothing is transformed, and no test mocks a module.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    // Vitest itself needs no core.
    maxWorkers: '100%',
    setupFiles: ['test/support/patience.ts'],
    expect: { poll: { timeout: 30_000 } },
    projects: [
      // Files share processes: otherwise small tests would spend half of their time on importing the same modules.
      {
        extends: true,
        test: {
          name: 'quick-unit',
          include: ['test/unit/**/*.test.ts'],
          exclude: [...withTools, ...alone, ...slow],
          isolate: false,
          ...shared,
        },
      },
      {
        extends: true,
        test: {
          name: 'quick-whole',
          include: ['test/**/*.test.ts'],
          exclude: ['test/unit/**', ...apart, ...withTools, ...slow],
          isolate: false,
          ...shared,
        },
      },
      { extends: true, test: { name: 'quick-alone', include: alone, ...shared } },
      { extends: true, test: { name: 'slow', include: slow, ...heavy } },
      {
        extends: true,
        test: {
          name: 'tools',
          include: withTools,
          exclude: apart,
          ...heavy,
          globalSetup: ['test/support/tools/set-up.ts'],
        },
      },
    ],
    // Catches only what hangs. No test may fail because a busy machine is slow.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
