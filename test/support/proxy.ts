import { onTestFinished } from 'vitest';
import { TcpProxy } from '../../fakes/tcp-proxy.ts';

/** A TCP proxy that can fall silent, like a dead network or node: nothing passes, nothing closes. */
export async function stallableProxy(toPort: number): Promise<{ port: number; stall(): void }> {
  const proxy = await TcpProxy.start(() => toPort);
  onTestFinished(() => proxy.close());
  return { port: proxy.port, stall: () => proxy.become('silent') };
}
