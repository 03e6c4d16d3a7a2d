import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import type { HostPort } from '../protocol/address.ts';
import type { TlsSecurity } from './security.ts';

/** So that a broker whose host is gone is noticed while a wire has nothing to say. */
const keepAliveMs = 30_000;

export type OpenSocket = (where: HostPort, onConnect: () => void) => Socket;

/** Opens sockets to brokers, encrypted or not. Throws on a PEM that cannot be read. */
export function brokerSockets(tls: TlsSecurity): OpenSocket {
  // Reading the PEMs costs ms, so that every socket shares one context.
  let context: SecureContext | undefined;

  function open({ host, port }: HostPort, onConnect: () => void): Socket {
    if (tls === false) return connectPlain({ host, port }, onConnect);
    context ??= createSecureContext({ ca: tls.ca, cert: tls.cert, key: tls.key });
    const rejectUnauthorized = tls.insecureSkipVerify !== true;
    // Server names are names: RFC 6066 §3 forbids addresses.
    const servername = isIP(host) === 0 ? { servername: host } : {};
    return connectTls({ host, port, secureContext: context, rejectUnauthorized, ...servername }, onConnect);
  }

  return (where, onConnect) => {
    const socket = open(where, onConnect);
    socket.setKeepAlive(true, keepAliveMs);
    socket.setNoDelay(true);
    return socket;
  };
}
