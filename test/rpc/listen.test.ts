import { describe, expect, it } from 'vitest';
import { FakeTriggers } from '../support/fake-triggers.ts';
import { startServer } from '../support/rpc.ts';

describe('listen', () => {
  it('says which address cannot be had', async () => {
    const { port } = await startServer(new FakeTriggers());
    await expect(startServer(new FakeTriggers(), { port })).rejects.toThrow(
      new RegExp(`^grpc: cannot listen on 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`),
    );
  });
});
