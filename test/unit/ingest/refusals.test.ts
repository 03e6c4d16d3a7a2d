import { expect, it } from 'vitest';
import { RefusalLog } from '../../../src/ingest/webhooks.ts';
import { recordingLog } from '../../support/recording-log.ts';

it('says a refused signature once a minute for each path, and how many there were', () => {
  const log = recordingLog();
  let nowMs = 0;
  const refusals = new RefusalLog(log, () => nowMs);
  for (let i = 0; i < 5; i += 1) refusals.refused('secret', 'ci', '1');
  refusals.refused('secret', undefined, '2');
  nowMs = 60_000;
  refusals.refused('secret', 'ci', '3');
  refusals.refused('secret', 'ci', '4');
  expect(log.lines.map(({ fields }) => fields)).toEqual([
    { connection: 'ci', hookId: '1' },
    { hookId: '2' },
    { connection: 'ci', hookId: '3', alsoRefused: 4 },
  ]);
});

it.each(['', '1"', 'a', '1'.repeat(21), '1\n2', undefined, ['1']])('does not repeat %j as a hook', (hook) => {
  const log = recordingLog();
  new RefusalLog(log, () => 0).refused('secret', 'ci', hook);
  expect(log.lines[0]?.fields).toEqual({ connection: 'ci' });
});

it('logs unknown connections once a minute, all together, because anybody can name them', () => {
  const log = recordingLog();
  const refusals = new RefusalLog(log, () => 0);
  for (let i = 0; i < 100; i += 1) refusals.refused('unknown', `name-${i}`, undefined);
  expect(log.lines).toMatchObject([
    { fields: { connection: 'name-0' }, message: expect.stringContaining('takes webhooks') },
  ]);
});
