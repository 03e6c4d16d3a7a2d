import { once } from 'node:events';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { connect } from 'node:http2';
import { onTestFinished } from 'vitest';

/** An HTTP/2 connection without a gRPC library. Closed at the end of the test. */
export async function rawConnection(port: number, initialWindowSize?: number): Promise<ClientHttp2Session> {
  const settings = initialWindowSize === undefined ? {} : { initialWindowSize };
  const session = connect(`http://127.0.0.1:${port}`, { settings });
  session.on('error', () => {});
  onTestFinished(() => session.destroy());
  await once(session, 'remoteSettings');
  return session;
}

export interface RawCall {
  stream: ClientHttp2Stream;
  /** The messages so far, as bytes. */
  messages(): Buffer[];
  /** `grpc-status` at the end. */
  status: Promise<number>;
}

/** Calls a method of KEDA's service with the bytes of a request. */
export function rawCall(session: ClientHttp2Session, method: string, request: Uint8Array): RawCall {
  const call = openCall(session, method);
  call.stream.end(frame(request));
  return call;
}

/** A call whose request is sent later: `stream.end(frame(request))`. A method of another service begins with `/`. */
export function openCall(session: ClientHttp2Session, method: string): RawCall {
  const stream = session.request({
    ':method': 'POST',
    ':path': method.startsWith('/') ? method : `/externalscaler.ExternalScaler/${method}`,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  let received = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
  });
  stream.on('error', () => {});
  const status = new Promise<number>((resolve) => {
    const ended = (headers: Record<string, unknown>): void => {
      if (headers['grpc-status'] !== undefined) resolve(Number(headers['grpc-status']));
    };
    stream.on('response', ended);
    stream.on('trailers', ended);
  });
  return { stream, messages: () => unframe(received), status };
}

/** A gRPC message: not compressed, its length in four bytes, its bytes. */
export function frame(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function unframe(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at + 5 <= bytes.length; ) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    messages.push(bytes.subarray(at + 5, end));
    at = end;
  }
  return messages;
}
