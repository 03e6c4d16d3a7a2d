import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/**
 * Below what Linux (32768) and others give to outgoing connections and to servers on port 0: what was let go of is
 * still free when the program for which it was held starts, and when it starts again.
 */
const lowest = 20_000;
const highest = 32_767;

/** Ports on 127.0.0.1 that are ours until `release`: all are held together, so that no two are the same. */
export interface HeldPorts {
  readonly numbers: readonly number[];
  release(): Promise<void>;
}

export async function holdPorts(count: number): Promise<HeldPorts> {
  const servers = await Promise.all(Array.from({ length: count }, hold));
  return {
    numbers: servers.map(portOf),
    release: async () => {
      await Promise.all(servers.map(release));
    },
  };
}

async function hold(): Promise<Server> {
  for (;;) {
    const server = createServer();
    server.listen(randomInt(lowest, highest + 1), '127.0.0.1');
    try {
      await once(server, 'listening');
      return server;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
    }
  }
}

async function release(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

/** Resolves with the free port of 127.0.0.1 that the server listens on from now. */
export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return portOf(server);
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a listening TCP server has a port');
  return address.port;
}
