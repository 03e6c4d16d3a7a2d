import { beforeEach, describe, expect, it } from 'vitest';
import { ScalerError } from '../../../src/errors.ts';
import { RefusalLog } from '../../../src/trigger/refusal-log.ts';
import { recordingLog } from '../../support/recording-log.ts';

describe('RefusalLog', () => {
  let nowMs = 0;
  let log: ReturnType<typeof recordingLog>;
  let refusals: RefusalLog;

  beforeEach(() => {
    nowMs = 0;
    log = recordingLog();
    refusals = new RefusalLog(log, () => nowMs);
  });

  const refuse = (count: number) => {
    for (let i = 0; i < count; i++) refusals.refused(new ScalerError('invalid', `trigger of shop/w-${i}`));
  };

  it('says the reason, with its code', () => {
    refusals.refused(new ScalerError('denied', 'trigger of shop/w: connection orders is not for shop'));
    expect(log.lines).toEqual([
      {
        level: 'warn',
        message: 'a trigger is refused; said once for the same metadata',
        fields: { code: 'denied', error: 'trigger of shop/w: connection orders is not for shop' },
      },
    ]);
  });

  it('says thirty a minute, and with the next one how many it has not said', () => {
    refuse(100);
    expect(log.lines).toHaveLength(30);
    nowMs = 59_999;
    refuse(1);
    expect(log.lines).toHaveLength(30);
    nowMs = 60_000;
    refuse(2);
    expect(log.lines.slice(30).map(({ fields }) => fields)).toEqual([
      { code: 'invalid', error: 'trigger of shop/w-0', alsoRefused: 71 },
      { code: 'invalid', error: 'trigger of shop/w-1' },
    ]);
  });

  it('cuts what is too long: names may be as long as a message', () => {
    refusals.refused(new ScalerError('invalid', 'x'.repeat(60_000)));
    expect(log.lines[0]?.fields).toMatchObject({ error: 'x'.repeat(2000) });
  });
});
