import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createServer } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { onTestFinished } from 'vitest';
import { listen } from '../../../fakes/ports.ts';
import { apiKeys } from '../../../src/sources/kafka/upstream/protocol/api.ts';
import { Decoder } from '../../../src/sources/kafka/upstream/protocol/decoder.ts';
import { Encoder } from '../../../src/sources/kafka/upstream/protocol/encoder.ts';

export interface ReceivedRequest {
  apiKey: number;
  apiVersion: number;
  /** The request after its header. */
  body: Decoder;
  /** Answers with this body, now or later. */
  reply(body: Buffer): void;
  socket: Socket;
}

/** Answers a request, or leaves it. If it returns false, the default answers, which knows only ApiVersions. */
export type Script = (request: ReceivedRequest) => boolean | undefined;

export interface ScriptedBroker {
  address: string;
  port: number;
  /** Every request so far, from all sockets. */
  received: ReceivedRequest[];
  sockets: Set<Socket>;
}

export interface ScriptedBrokerOptions {
  script?: Script;
  tls?: TlsOptions;
  /** Sent at once, instead of listening. */
  greeting?: Buffer;
}

/** A real server on a free port that answers by its script. Closed at the end of the test. */
export async function scriptedBroker(options: ScriptedBrokerOptions = {}): Promise<ScriptedBroker> {
  const received: ReceivedRequest[] = [];
  const sockets = new Set<Socket>();
  const serve = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    if (options.greeting !== undefined) {
      socket.resume().write(options.greeting);
      return;
    }
    readRequests(socket, (request) => {
      received.push(request);
      if (options.script?.(request) !== false) return;
      if (request.apiKey === apiKeys.apiVersions) request.reply(allVersions);
    });
  };
  const server = options.tls === undefined ? createServer(serve) : createTlsServer(options.tls, serve);
  server.on('tlsClientError', () => {});
  const port = await listen(server);
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return { address: `127.0.0.1:${port}`, port, received, sockets };
}

function readRequests(socket: Socket, deliver: (request: ReceivedRequest) => void): void {
  let buffered = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    buffered = Buffer.concat([buffered, chunk]);
    while (buffered.length >= 4 && buffered.length >= 4 + buffered.readInt32BE(0)) {
      const end = 4 + buffered.readInt32BE(0);
      deliver(parse(socket, new Decoder(buffered.subarray(4, end))));
      buffered = buffered.subarray(end);
    }
  });
}

function parse(socket: Socket, body: Decoder): ReceivedRequest {
  const [apiKey, apiVersion, correlationId] = [body.int16(), body.int16(), body.int32()];
  body.nullableString(); // client id
  const reply = (answer: Buffer): void => {
    socket.write(frame(Buffer.concat([new Encoder().int32(correlationId).finish(), answer])));
  };
  return { apiKey, apiVersion, body, reply, socket };
}

/** Adds the length in front. */
export function frame(payload: Buffer): Buffer {
  return Buffer.concat([new Encoder().int32(payload.length).finish(), payload]);
}

const allVersions = new Encoder()
  .int16(0)
  .array(Object.values(apiKeys), (to, apiKey) => to.int16(apiKey).int16(0).int16(12))
  .int32(0)
  .finish();
