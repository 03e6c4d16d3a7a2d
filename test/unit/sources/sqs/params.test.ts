import { describe, expect, it } from 'vitest';
import { faultsOf, paramsOf } from './trigger-params.ts';

describe('the parameters of an SQS trigger', () => {
  it("have KEDA's defaults", () => {
    expect(paramsOf()).toEqual({
      queueURL: { name: 'jobs', account: undefined, origin: undefined, aws: undefined },
      queueLength: 5,
      activationQueueLength: 0,
      scaleOnInFlight: true,
      scaleOnDelayed: false,
      maxConcurrency: undefined,
    });
  });

  it('are read by their types', () => {
    const params = paramsOf({
      queueLength: '20',
      activationQueueLength: '3',
      scaleOnInFlight: 'False',
      scaleOnDelayed: '1',
      maxConcurrency: '8',
    });
    expect(params).toMatchObject({
      queueLength: 20,
      activationQueueLength: 3,
      scaleOnInFlight: false,
      scaleOnDelayed: true,
      maxConcurrency: 8,
    });
  });

  it.each([
    [{ queueURL: ' ' }, /^queueURL: is required/],
    [{ queueURL: 'https://sqs.eu-central-1.amazonaws.com/jobs' }, /^queueURL: must be .*account\/name/],
    [{ queueLength: '0' }, /^queueLength: .*above 0/],
    [{ activationQueueLength: '-1' }, /^activationQueueLength: .*at least 0/],
    [{ maxConcurrency: '0' }, /^maxConcurrency: .*at least 1/],
    [{ scaleOnDelayed: 'yes' }, /^scaleOnDelayed: must be true or false/],
  ])('%j is a fault', (metadata, fault) => {
    expect(faultsOf(metadata)).toEqual([expect.stringMatching(fault)]);
  });

  it('do not show a queue that came out of the environment', () => {
    const faults = parseFromEnv('https://user:hunter2@example.com/1/jobs');
    expect(faults).toHaveLength(1);
    expect(faults.join()).not.toContain('hunter2');
  });
});

function parseFromEnv(value: string): string[] {
  return faultsOf({ queueURL: '', queueURLFromEnv: value });
}
