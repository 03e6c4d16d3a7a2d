import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { onTestFinished } from 'vitest';

/** A TCP proxy that can fall silent, as a network or a node does that has died: nothing passes, nothing closes. */
export async function stallableProxy(toPort: number): Promise<{ port: number; stall(): void }> {
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = connect(toPort, '127.0.0.1');
    sockets.push(near, far);
    for (const socket of [near, far]) socket.on('error', () => {});
    near.pipe(far);
    far.pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const stall = (): void => {
    for (const socket of sockets) socket.unpipe().pause();
  };
  return { port: address.port, stall };
}
