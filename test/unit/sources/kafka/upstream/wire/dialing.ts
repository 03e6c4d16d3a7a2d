import { onTestFinished } from 'vitest';
import { Encoder } from '../../../../../../src/sources/kafka/upstream/protocol/encoder.ts';
import { listOffsets } from '../../../../../../src/sources/kafka/upstream/protocol/list-offsets.ts';
import { createDialer } from '../../../../../../src/sources/kafka/upstream/wire/dialer.ts';
import type { KafkaSecurity } from '../../../../../../src/sources/kafka/upstream/wire/security.ts';
import type { Wire } from '../../../../../../src/sources/kafka/upstream/wire/wire.ts';
import { silentLogger } from '../../../../../../src/telemetry/log.ts';

export interface Dialing {
  dial(address: string): Promise<Wire>;
  /** `operation outcome` of each request, in order. */
  counted: string[];
}

/** A dialer whose wires are closed at the end of the test. */
export function dialing(security: KafkaSecurity = { tls: false }, connectTimeoutMs = 10_000): Dialing {
  const counted: string[] = [];
  const dialer = createDialer({
    clientId: 'test',
    security,
    connectTimeoutMs,
    log: silentLogger,
    metrics: { request: (operation, outcome) => counted.push(`${operation} ${outcome}`) },
  });
  const dial = async (address: string): Promise<Wire> => {
    const wire = await dialer.dial(address);
    onTestFinished(() => wire.close());
    return wire;
  };
  return { dial, counted };
}

/** A small request and its answer. */
export const anyRequest = listOffsets({
  topics: new Map(),
  timestamp: 'end',
  isolationLevel: 'readUncommitted',
});
export function anyAnswer(throttleTimeMs = 0): Buffer {
  return new Encoder()
    .int32(throttleTimeMs)
    .array([], () => {})
    .finish();
}
/** Longer than any of these tests. */
export const longMs = 60_000;
