import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { listen } from '../../fakes/ports.ts';
import type { Pair } from './certificates.ts';

/** Puts TLS with this certificate in front of a server on 127.0.0.1 without TLS. Resolves with the port. */
export async function tlsFront(toPort: number, { cert, key }: Pair): Promise<number> {
  const open = new Set<TLSSocket>();
  const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (near) => {
    const far = connect(toPort, '127.0.0.1');
    open.add(near);
    near.on('close', () => {
      open.delete(near);
      far.destroy();
    });
    far.on('close', () => near.destroy());
    for (const socket of [near, far]) socket.on('error', () => {});
    near.pipe(far).pipe(near);
  });
  const port = await listen(server);
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return port;
}
