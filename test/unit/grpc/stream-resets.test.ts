import { Server } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { allowStreamResets } from '../../../src/grpc/server.ts';

describe('allowStreamResets', () => {
  it('finds the options that grpc-js hands to http2.createServer', () => {
    const server = new Server({ 'grpc.max_concurrent_streams': 7 });
    allowStreamResets(server);
    expect(Reflect.get(server, 'commonServerOptions')).toMatchObject({
      settings: { maxConcurrentStreams: 7 },
      streamResetBurst: 100_000,
      streamResetRate: 10_000,
    });
  });

  it('says so when grpc-js has changed', () => {
    const server = new Server();
    Reflect.deleteProperty(server, 'commonServerOptions');
    expect(() => allowStreamResets(server)).toThrow('grpc-js has changed');
  });
});
