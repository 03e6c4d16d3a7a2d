import { describe, expect, it } from 'vitest';
import { FakeDesk } from '../support/fake-desk.ts';
import { startServer } from '../support/rpc.ts';

describe('listen', () => {
  it('says which address cannot be had', async () => {
    const { port } = await startServer(new FakeDesk());
    await expect(startServer(new FakeDesk(), { port })).rejects.toThrow(
      new RegExp(`^grpc: cannot listen on 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`),
    );
  });
});
