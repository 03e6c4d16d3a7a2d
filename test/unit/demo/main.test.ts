import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

function demo(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['demo/main.ts', ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

it('says what the demo accepts', () => {
  expect(demo('--help')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('--story surge|sqs|github|kafka'),
    stderr: '',
  });
});

it.each([
  [
    ['--story', 'nats'],
    '--story must be one of surge, sqs, github, kafka, got "nats"; see npm run demo -- --help',
  ],
  [['--kafka=yes'], "'--kafka' does not take an argument"],
  [['--sauce', 'sqs'], "Unknown option '--sauce'"],
])('%j is invalid', (args, fault) => {
  const { status, stdout, stderr } = demo(...args);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain(fault);
});
