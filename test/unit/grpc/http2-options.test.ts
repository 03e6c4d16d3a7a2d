import { Server } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { setHttp2Options } from '../../../src/grpc/server.ts';

describe('setHttp2Options', () => {
  it('finds the options that grpc-js hands to http2.createServer', () => {
    const server = new Server({ 'grpc.max_concurrent_streams': 7 });
    setHttp2Options(server);
    expect(Reflect.get(server, 'commonServerOptions')).toMatchObject({
      settings: { maxConcurrentStreams: 7, maxHeaderListSize: 8_192 },
      streamResetBurst: 100_000,
      streamResetRate: 10_000,
    });
  });

  it('says so when grpc-js has changed', () => {
    const server = new Server();
    Reflect.deleteProperty(server, 'commonServerOptions');
    expect(() => setHttp2Options(server)).toThrow('grpc-js has changed');
  });
});
