import { connect, createServer, type Server, type Socket } from 'node:net';
import { listen } from './ports.ts';

/** `silent`: nothing passes and nothing closes, as if a network or a node had died. `refusing`: everything is reset. */
export type ProxyMood = 'passing' | 'silent' | 'refusing';

/** A TCP proxy on 127.0.0.1 that can fail as a network does. */
export class TcpProxy {
  readonly port: number;
  private readonly server: Server;
  private readonly sockets: Set<Socket>;
  private mood: ProxyMood = 'passing';

  /** `toPort` gives the target of each new connection. */
  static async start(toPort: () => number): Promise<TcpProxy> {
    const sockets = new Set<Socket>();
    const server = createServer({ pauseOnConnect: true });
    return new TcpProxy(server, await listen(server), sockets, toPort);
  }

  private constructor(server: Server, port: number, sockets: Set<Socket>, toPort: () => number) {
    this.server = server;
    this.port = port;
    this.sockets = sockets;
    server.on('connection', (near) => this.take(near, toPort));
  }

  /** Applies to open and to new connections. After silence, open ones are reset. */
  become(mood: ProxyMood): void {
    if (mood === this.mood) return;
    const wasSilent = this.mood === 'silent';
    this.mood = mood;
    if (mood === 'silent') for (const socket of this.sockets) socket.unpipe().pause();
    else if (wasSilent || mood === 'refusing') this.reset();
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }

  private take(near: Socket, toPort: () => number): void {
    near.on('error', () => {});
    if (this.mood === 'refusing') return void near.resetAndDestroy();
    this.keep(near);
    if (this.mood === 'silent') return;
    const far = connect(toPort(), '127.0.0.1').on('error', () => {});
    this.keep(far);
    // A silent network does not pass on a close either.
    near.on('close', () => this.mood === 'silent' || far.destroy());
    far.on('close', () => this.mood === 'silent' || near.destroy());
    near.pipe(far).pipe(near);
  }

  private keep(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
  }

  private reset(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }
}
