import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { errorCodes, errorName } from '../../../../../../src/sources/kafka/upstream/protocol/error-codes.ts';

interface KnownError {
  type: string;
  code: number;
}

/** kafkajs keeps names that Kafka has changed since. */
const renamed: Readonly<Record<string, string>> = {
  UNKNOWN: 'UNKNOWN_SERVER_ERROR',
  NOT_LEADER_FOR_PARTITION: 'NOT_LEADER_OR_FOLLOWER',
  GROUP_LOAD_IN_PROGRESS: 'COORDINATOR_LOAD_IN_PROGRESS',
  GROUP_COORDINATOR_NOT_AVAILABLE: 'COORDINATOR_NOT_AVAILABLE',
  NOT_COORDINATOR_FOR_GROUP: 'NOT_COORDINATOR',
};

it('names codes as kafkajs does, if both know one', () => {
  const { errorCodes: known }: { errorCodes: KnownError[] } = createRequire(import.meta.url)(
    'kafkajs/src/protocol/error',
  );
  const ours = new Set<number>(Object.values(errorCodes));
  const both = known.filter(({ code }) => ours.has(code));
  expect(both.length).toBeGreaterThan(25);
  expect(both.map(({ code }) => errorName(code))).toEqual(both.map(({ type }) => renamed[type] ?? type));
});

it('says the number of a code it does not know', () => {
  expect(errorName(12_345)).toBe('error 12345');
});
