import { once } from 'node:events';
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';

/** Only Linux spreads the connections of a port over the sockets that listen on it. */
const reusePort = process.platform === 'linux';
const doors = reusePort ? 16 : 1;
/** The system spreads evenly only on average. */
const roomForChance = 2;

export interface Place {
  readonly host: string;
  readonly port: number;
  /** How many connections may wait to be accepted. */
  readonly backlog: number;
}

/**
 * Opens a port with several listening sockets. From each, libuv takes one connection in a turn of the event loop (its pull
 * request 3696). With a single one, who comes after a thousand others waits for a thousand turns.
 *
 * `listen` opens the first, and resolves with its port. `take` gets the connections of the others. Resolves with those
 * others; rejects with what the system says where the port cannot be had.
 */
export async function openDoors(
  { host, port, backlog }: Place,
  listen: (options: Place & { reusePort: boolean }) => Promise<number>,
  take: (socket: Socket) => void,
): Promise<Server[]> {
  const each = { host, backlog: Math.ceil((backlog * (reusePort ? roomForChance : 1)) / doors) };
  // By `reusePort` a second process would get a part of the connections, and nobody would notice.
  const alone = await listening(createServer(), { host, port });
  await once(alone.close(), 'close');
  const shared = { ...each, port: await listen({ ...each, port, reusePort }), reusePort };
  const others: Server[] = [];
  try {
    while (others.length < doors - 1) {
      // As node:http opens its own.
      others.push(await listening(createServer({ allowHalfOpen: true, noDelay: true }, take), shared));
    }
  } catch (reason) {
    for (const door of others) door.close();
    throw reason;
  }
  return others;
}

async function listening(server: Server, options: ListenOptions): Promise<Server> {
  server.listen(options);
  await once(server, 'listening');
  return server;
}
