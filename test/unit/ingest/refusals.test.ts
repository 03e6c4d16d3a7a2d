import { expect, it } from 'vitest';
import { RefusalLog } from '../../../src/ingest/github.ts';
import { recordingLog } from '../../support/recording-log.ts';

it('says a refused signature once a minute for each path, and how many there were', () => {
  const log = recordingLog();
  let nowMs = 0;
  const refusals = new RefusalLog(log, () => nowMs);
  for (let i = 0; i < 5; i += 1) refusals.refused('ci', '1');
  refusals.refused(undefined, '2');
  nowMs = 60_000;
  refusals.refused('ci', '3');
  refusals.refused('ci', '4');
  expect(log.lines.map(({ fields }) => fields)).toEqual([
    { connection: 'ci', hookId: '1' },
    { hookId: '2' },
    { connection: 'ci', hookId: '3', alsoRefused: 4 },
  ]);
});

it.each(['', '1"', 'a', '1'.repeat(21), '1\n2', undefined, ['1']])('does not repeat %j as a hook', (hook) => {
  const log = recordingLog();
  new RefusalLog(log, () => 0).refused('ci', hook);
  expect(log.lines[0]?.fields).toEqual({ connection: 'ci' });
});
