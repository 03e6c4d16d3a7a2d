import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

/** Only Linux spreads the connections of a port over the sockets that listen on it. */
const reusePort = process.platform === 'linux';
const doors = reusePort ? 32 : 1;

/** Where to listen, and how many connections may wait for each of the sockets. */
export interface Place {
  readonly host: string;
  readonly port: number;
  readonly backlog: number;
}

/**
 * Opens a port with several listening sockets. From each, libuv takes one connection in a turn of the event loop (its pull
 * request 3696). With a single one, who comes after a thousand others waits for a thousand turns.
 *
 * `listen` opens the first, and resolves with its port. `take` gets the connections of the others, paused. Resolves with
 * those others; rejects with what the system says where the port cannot be had.
 */
export async function openDoors(
  place: Place,
  listen: (options: Place & { reusePort: boolean }) => Promise<number>,
  take: (socket: Socket) => void,
): Promise<Server[]> {
  // By `reusePort` a second process would get a part of the connections, and nobody would notice.
  const alone = await listening(createServer(), place);
  await once(alone.close(), 'close');
  const port = await listen({ ...place, reusePort });
  const others: Server[] = [];
  try {
    while (others.length < doors - 1) {
      // As node:http opens its own.
      const door = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, take);
      others.push(await listening(door, { ...place, port, reusePort }));
    }
  } catch (reason) {
    for (const door of others) door.close();
    throw reason;
  }
  return others;
}

async function listening(server: Server, options: Place & { reusePort?: boolean }): Promise<Server> {
  server.listen(options);
  await once(server, 'listening');
  return server;
}
