import { createRequire } from 'node:module';
import { connect } from 'node:net';
import type { KafkaJsLogger } from 'kafkajs/src/network/connection.js';
import Connection from 'kafkajs/src/network/connection.js';
import { describe, expect, it, vi } from 'vitest';
// As the connection does.
import '../../../../../../src/sources/kafka/upstream/wire/kafkajs-idle-timer.ts';

/*
 * Before a new kafkajs may be used, it must pass here, and kafkajs-connection.ts must be reviewed against it.
 */

const logger: KafkaJsLogger = {
  info() {},
  error() {},
  warn() {},
  debug() {},
  namespace: () => logger,
};

const connection = () =>
  new Connection({
    host: '127.0.0.1',
    port: 1,
    clientId: 'test',
    logger,
    socketFactory: ({ host, port, onConnect }) => connect({ host, port }, onConnect),
    sasl: null,
    connectionTimeout: 1000,
    requestTimeout: 0,
    enforceRequestTimeout: false,
  });

describe('kafkajs', () => {
  it('is exactly the version whose internals are known', () => {
    const { version } = createRequire(import.meta.url)('kafkajs/package.json');
    expect(version).toBe('2.2.4');
  });

  it.each([
    'connect',
    'authenticate',
    'isAuthenticated',
    'setVersions',
    'setSupportAuthenticationProtocol',
    'send',
    'processData',
    'rejectRequests',
  ] as const)('has Connection.%s', (name) => {
    expect(connection()[name]).toBeTypeOf('function');
  });

  it('has a request queue with requests in flight and waiting ones', () => {
    const { requestQueue, bytesNeeded, reauthenticationThreshold, sessionLifetime } = connection();
    expect(requestQueue.inflight).toBeInstanceOf(Map);
    expect(requestQueue.pending).toEqual([]);
    expect(requestQueue.throttledUntil).toBe(-1);
    expect(requestQueue.scheduleCheckPendingRequests).toBeTypeOf('function');
    expect(requestQueue.destroy).toBeTypeOf('function');
    expect([bytesNeeded, reauthenticationThreshold, sessionLifetime.toNumber()]).toEqual([4, 10_000, 0]);
  });

  it('asks for its timer after each answer, and gets none while nothing waits', () => {
    const subject = connection();
    const timers = vi.spyOn(globalThis, 'setTimeout');
    const asked = vi.spyOn(subject.requestQueue, 'scheduleCheckPendingRequests');
    const length = Buffer.from([0, 0, 0, 4]);
    const unknownCorrelation = Buffer.from([0, 0, 0, 9]);
    subject.processData(Buffer.concat([length, unknownCorrelation]));
    expect(asked).toHaveBeenCalledOnce();
    expect(timers).not.toHaveBeenCalled();
  });
});
