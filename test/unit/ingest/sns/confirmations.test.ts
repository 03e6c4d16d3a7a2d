import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ScalerError } from '../../../../src/errors.ts';
import { Confirmations, mostTries } from '../../../../src/ingest/sns/confirmations.ts';
import { recordingLog } from '../../../support/recording-log.ts';

const topic = 'arn:aws:sns:eu-central-1:123456789012:orders';
const url = 'https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=hunter2';
const wanted = { url, topic, connection: 'jobs' };
const unreachable = new ScalerError('unavailable', 'cannot be reached (ENETUNREACH)');
const anHourMs = 3_600_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** SNS, with its answers in turn. The last one is repeated. */
function scene(...answers: (ScalerError | 'ok')[]) {
  const log = recordingLog();
  const closing = new AbortController();
  const calls: string[] = [];
  const get = async (called: string): Promise<string> => {
    calls.push(called);
    const answer = answers[Math.min(calls.length, answers.length) - 1];
    if (answer instanceof ScalerError) throw answer;
    return '';
  };
  const confirmations = new Confirmations({ get, signal: closing.signal, log });
  const said = (): string[] => log.lines.map(({ level, message }) => `${level}: ${message}`);
  return { confirmations, calls, log, said, closing };
}

describe('a subscription that cannot be confirmed', () => {
  it('is tried again until it works, which is logged once', async () => {
    const { confirmations, calls, said } = scene(unreachable, unreachable, unreachable, 'ok');
    expect(await confirmations.confirm(wanted)).toBe(false);
    expect(said()).toEqual([
      expect.stringMatching(/^warn: .* could not be confirmed yet; it is tried again/),
    ]);
    await vi.advanceTimersByTimeAsync(anHourMs);
    expect(calls).toEqual([url, url, url, url]);
    expect(said().slice(1)).toEqual(['info: a subscription of an SNS topic was confirmed']);
  });

  it('is not tried more often if SNS repeats it meanwhile', async () => {
    const { confirmations, calls } = scene(unreachable, 'ok');
    await confirmations.confirm(wanted);
    expect(await confirmations.confirm(wanted)).toBe(false);
    await vi.advanceTimersByTimeAsync(anHourMs);
    expect(calls).toHaveLength(2);
  });

  it('is given up after several tries, with what to do, and no token in the log', async () => {
    const { confirmations, calls, said, log } = scene(unreachable);
    await confirmations.confirm(wanted);
    await vi.advanceTimersByTimeAsync(3 * anHourMs);
    expect(calls).toHaveLength(mostTries);
    expect(said().at(-1)).toMatch(/^error: .* is not tried again: .*"Request confirmation"/);
    expect(said()).toHaveLength(2);
    expect(log.lines.at(-1)?.fields).toMatchObject({
      host: 'sns.eu-central-1.amazonaws.com',
      tries: mostTries,
    });
    expect(JSON.stringify(log.lines)).not.toContain('hunter2');
  });

  it('is given up at once if SNS does not know the token', async () => {
    const { confirmations, calls, said } = scene(new ScalerError('not_found', 'answers with 404'));
    expect(await confirmations.confirm(wanted)).toBe(false);
    await vi.advanceTimersByTimeAsync(anHourMs);
    expect(calls).toHaveLength(1);
    expect(said()).toEqual([expect.stringMatching(/^error: /)]);
  });

  it('is not tried again when ingest closes', async () => {
    const { confirmations, calls, closing } = scene(unreachable);
    await confirmations.confirm(wanted);
    closing.abort();
    await vi.advanceTimersByTimeAsync(anHourMs);
    expect(calls).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});
