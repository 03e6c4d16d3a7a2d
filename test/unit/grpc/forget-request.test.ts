import { Client, credentials, Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { ExternalScaler } from '../../../src/grpc/contract.ts';
import type { ScaledObjectRef__Output } from '../../../src/grpc/generated/externalscaler/ScaledObjectRef.ts';
import { forgetRequest } from '../../../src/grpc/streams.ts';

type Call = ServerWritableStream<ScaledObjectRef__Output, unknown>;

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

describe('forgetRequest', () => {
  it('frees what grpc-js keeps of a request, and the stream continues', async () => {
    const server = new Server();
    const held = new Promise<Call>((resolve) => {
      server.addService(
        { StreamIsActive: ExternalScaler.service.StreamIsActive },
        { StreamIsActive: (call: Call) => resolve(call) },
      );
    });
    const port = await new Promise<number>((resolve, reject) => {
      const listening = (error: Error | null, bound: number): void =>
        error ? reject(error) : resolve(bound);
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), listening);
    });
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    ends.push(() => {
      client.close();
      server.forceShutdown();
    });
    const { path, requestSerialize, responseDeserialize } = ExternalScaler.service.StreamIsActive;
    const reference = { name: 'worker', namespace: 'shop', scalerMetadata: { topic: 'orders' } };
    const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, reference);
    const said: unknown[] = [];
    stream.on('data', (message) => said.push(message)).on('error', () => {});

    const call = await held;
    const reader = Reflect.get(call, 'call');
    expect(reader).toHaveProperty('decoder.readPartialMessage');
    expect(call.metadata.get('user-agent')).toHaveLength(1);
    forgetRequest(call);
    expect(call.request).toEqual({ name: '', namespace: '', scalerMetadata: {} });
    expect(call.metadata.getMap()).toEqual({});
    expect(reader).toHaveProperty('decoder', undefined);

    for (const result of [true, false]) call.write({ result });
    await expect.poll(() => said).toEqual([{ result: true }, { result: false }]);
    call.end();
    await expect.poll(() => stream.readableEnded).toBe(true);
  });
});
