import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { recordedSpans as spans } from '../../support/recorded-spans.ts';

// Imported after the provider is registered.
const { ScalerError } = await import('../../../src/errors.ts');
const { endRead, startRead } = await import('../../../src/telemetry/tracing.ts');
const { post } = await import('../../support/ingest.ts');
const { IngestScaler } = await import('../../support/ingest-scaler.ts');
const { ref } = await import('../../support/rpc-client.ts');

const connections = { ci: { source: 'github', owner: 'acme', webhookSecret: 's3cret' } };
const worker = ref('worker', { source: 'github', connection: 'ci', pool: 'linux-large' });

describe('with a provider', () => {
  beforeEach(() => {
    spans.length = 0;
  });

  it('has RPCs, reads and events of the whole scaler, each once, and no secret', async () => {
    const running = await IngestScaler.start(connections);
    const client = running.client();
    await client.getMetrics(worker, '');
    const body = JSON.stringify({ action: 'queued', owner: 'acme', job: 48151623 });
    expect((await post(running.ingestPort, { body, secret: 's3cret' })).status).toBe(202);
    expect((await post(running.ingestPort, { body, secret: 'gu3ss' })).status).toBe(401);
    await expect(client.getMetrics(worker, 'other')).rejects.toThrow('has no metric');
    await vi.waitFor(() => expect(spans.filter(({ ended }) => ended !== 1)).toEqual([]));

    const [answered, unknown] = spans.filter(
      ({ name }) => name === 'externalscaler.ExternalScaler/GetMetrics',
    );
    const asked = {
      'rpc.system': 'grpc',
      'rpc.service': 'externalscaler.ExternalScaler',
      'rpc.method': 'GetMetrics',
      'backlog_scaler.scaledobject.namespace': 'shop',
      'backlog_scaler.scaledobject.name': 'worker',
    };
    expect(answered).toMatchObject({
      scope: 'backlog-scaler',
      options: { kind: SpanKind.SERVER },
      status: { code: SpanStatusCode.UNSET },
    });
    expect(answered?.attributes).toEqual({ ...asked, 'rpc.grpc.status_code': 0 });
    expect(unknown?.attributes).toEqual({ ...asked, 'rpc.grpc.status_code': 5, 'error.type': 'NOT_FOUND' });
    expect(unknown?.status).toEqual({
      code: SpanStatusCode.ERROR,
      message: expect.stringContaining('has no metric'),
    });

    const read = spans.find(({ name }) => name === 'read github');
    expect(read?.options).toMatchObject({ kind: SpanKind.CLIENT, root: true });
    expect(read?.attributes).toEqual({
      'backlog_scaler.source': 'github',
      'backlog_scaler.connection': 'ci',
      'backlog_scaler.subjects': 1,
      'backlog_scaler.subjects_failed': 0,
      'backlog_scaler.outcome': 'ok',
    });

    const taken = spans.filter(({ name }) => name === 'ingest github');
    expect(taken.map(({ attributes }) => attributes)).toEqual([
      { 'backlog_scaler.kind': 'github', 'backlog_scaler.outcome': 'accepted' },
      { 'backlog_scaler.kind': 'github', 'backlog_scaler.outcome': 'refused' },
    ]);
    expect(JSON.stringify(spans)).not.toMatch(/s3cret|gu3ss|48151623/);
    // A message may repeat the caller's own words to the caller, but nothing else does.
    expect(JSON.stringify(spans.map(({ name, attributes }) => [name, attributes]))).not.toContain('linux');
  });

  it('says which error a read had, by code and message, without the stack', () => {
    endRead(startRead('kafka', 'orders', 3), 2, new ScalerError('unavailable', 'the broker is down'));
    expect(spans).toMatchObject([
      {
        name: 'read kafka',
        attributes: {
          'backlog_scaler.outcome': 'error',
          'backlog_scaler.subjects_failed': 2,
          'error.type': 'unavailable',
        },
        status: { code: SpanStatusCode.ERROR, message: 'the broker is down' },
        ended: 1,
      },
    ]);
    expect(JSON.stringify(spans)).not.toContain('tracing.test.ts');
  });
});
