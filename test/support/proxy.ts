import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { onTestFinished } from 'vitest';
import { listen } from '../../fakes/ports.ts';

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
  const port = await listen(server);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const stall = (): void => {
    for (const socket of sockets) socket.unpipe().pause();
  };
  return { port, stall };
}
