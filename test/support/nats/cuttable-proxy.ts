import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { listen } from '../../../fakes/ports.ts';

/** A proxy that can be cut. Until it is healed nothing passes and nothing closes, and new connections get no answer. */
export async function cuttableProxy(toPort: number): Promise<{ port: number; cut(): void; heal(): void }> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  };
  const server = createServer((near) => {
    keep(near);
    if (isCut) return;
    const far = connect(toPort, '127.0.0.1');
    keep(far);
    near.pipe(far);
    far.pipe(near);
  });
  const port = await listen(server);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port,
    cut: () => {
      isCut = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    // Connections from before are broken by now.
    heal: () => {
      isCut = false;
      for (const socket of sockets) socket.destroy();
    },
  };
}
