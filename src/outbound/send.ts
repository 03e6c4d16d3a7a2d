import type { IncomingMessage, RequestOptions } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { type Agents, agentsOf, http, https } from './agents.ts';

/** One request to a server outside. */
export interface Outgoing {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For the whole request, from looking up the name to the last byte. */
  readonly timeoutMs: number;
  /** The largest body to read, after decompression. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
  /** Only the status matters. A body that is too large or never comes is not an error. */
  readonly statusOnly?: boolean;
}

/** An answer of any status. Redirects are not followed. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Why no whole answer came. The message follows the name of the server, and has no secret. */
export class Unanswered extends Error {
  override readonly name = 'Unanswered';
  /** Node's (`ECONNREFUSED`), or `TOO_LATE`, `TOO_LARGE`, `CANCELLED`, `PROXY`. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Bounds what a slow host can hold. Sources bound their own requests. */
const maxSockets = 100;
const proxyTimeoutMs = 10_000;
let shared: Promise<Agents> | undefined;

/** Sends a request and reads its answer. All outgoing HTTP except the AWS SDK's comes here. Rejects with Unanswered. */
export async function send(url: string | URL, outgoing: Outgoing): Promise<Answer> {
  shared ??= agentsOf({ maxSockets, proxyTimeoutMs });
  const agents = await shared;
  const ending = new Ending(outgoing);
  let head: Answer | undefined;
  const heard = (answer: Answer): void => {
    head = answer;
  };
  try {
    return await ending.orElse(exchange(new URL(url), outgoing, agents, ending.signal, heard));
  } catch (reason) {
    if (head !== undefined && outgoing.statusOnly === true) return head;
    throw unanswered(reason);
  } finally {
    ending.clear();
  }
}

async function exchange(
  url: URL,
  outgoing: Outgoing,
  agents: Agents,
  signal: AbortSignal,
  heard: (head: Answer) => void,
): Promise<Answer> {
  let response: IncomingMessage;
  try {
    response = await respond(url, outgoing, agents, signal);
  } catch (reason) {
    if (!(reason instanceof StaleSocket) || signal.aborted) throw reason;
    response = await respond(url, outgoing, agents, signal);
  }
  const { statusCode: status = 0 } = response;
  if (status === 407) {
    response.destroy();
    throw new Unanswered('PROXY', 'cannot be asked: its proxy wants a user and a password in its address');
  }
  const head = { status, headers: headersOf(response), text: '' };
  heard(head);
  const body = response.headers['content-encoding'] === 'gzip' ? unpacked(response) : response;
  const text = (await boundedBytes(body, outgoing.maxBytes, signal)).toString('utf8');
  return { ...head, text };
}

/** The server closed a kept connection while we sent. It has read nothing of the request (Node: `request.reusedSocket`). */
class StaleSocket extends Error {}

function respond(
  url: URL,
  { method = 'GET', headers = {}, body }: Outgoing,
  { httpAgent, httpsAgent }: Agents,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const secure = url.protocol === 'https:';
  const options: RequestOptions = {
    method,
    headers: {
      'accept-encoding': 'gzip',
      ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
      ...headers,
    },
    agent: secure ? httpsAgent : httpAgent,
    signal,
  };
  return new Promise((resolve, reject) => {
    const request = secure ? https.request(url, options) : http.request(url, options);
    request.on('response', resolve);
    request.on('error', (reason) => {
      const isStale = request.reusedSocket && 'code' in reason && reason.code === 'ECONNRESET';
      reject(isStale ? new StaleSocket(reason.message, { cause: reason }) : reason);
    });
    request.end(body);
  });
}

/** Empty if nothing comes: a 304 may have the headers of the answer that it stands for (RFC 9110 §15.4.5). */
function unpacked(response: IncomingMessage): Readable {
  const unzip = createGunzip();
  let isEmpty = true;
  response.once('data', () => {
    isEmpty = false;
  });
  response.once('end', () => (isEmpty ? unzip.push(null) : unzip.end()));
  response.on('error', (reason) => unzip.destroy(reason));
  unzip.on('close', () => response.destroy());
  return response.pipe(unzip, { end: false });
}

/** Reads a body that may be endless. If it fails it closes the stream, and rejects with Unanswered or the stream's error. */
export async function boundedBytes(body: Readable, maxBytes: number, signal?: AbortSignal): Promise<Buffer> {
  const cancel = () => body.destroy(new Unanswered('CANCELLED', 'the request was cancelled'));
  signal?.addEventListener('abort', cancel, { once: true });
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    // An error in the loop destroys the stream, and with it the connection.
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new Unanswered('TOO_LARGE', `answers with more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
  return Buffer.concat(chunks);
}

function headersOf({ headersDistinct }: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(headersDistinct)) {
    for (const value of values) headers.append(name, value);
  }
  return headers;
}

/**
 * Ends a request at its timeout, or when its caller aborts. `AbortSignal.any` would not do: a combined signal that has a
 * listener lives as long as the longest of its signals (Node 24.21). The request's own error would not do either: a request
 * that waits for a connection sees the abort only once it has one.
 */
class Ending {
  readonly clear: () => void;
  private readonly abort = new AbortController();
  private readonly ended: Promise<never>;

  constructor({ timeoutMs, signal: outer }: Outgoing) {
    let reject: (reason: Unanswered) => void = () => {};
    this.ended = new Promise((_, rejecting) => {
      reject = rejecting;
    });
    this.ended.catch(() => {});
    const end = (reason: Unanswered): void => {
      reject(reason);
      this.abort.abort(reason);
    };
    const late = (): void => end(new Unanswered('TOO_LATE', `does not answer within ${timeoutMs} ms`));
    const cancel = (): void => end(new Unanswered('CANCELLED', 'the request was cancelled'));
    const timer = setTimeout(late, timeoutMs);
    outer?.addEventListener('abort', cancel, { once: true });
    this.clear = () => {
      clearTimeout(timer);
      outer?.removeEventListener('abort', cancel);
    };
    if (outer?.aborted === true) cancel();
  }

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  async orElse<T>(task: Promise<T>): Promise<T> {
    return Promise.race([task, this.ended]);
  }
}

function unanswered(reason: unknown): Unanswered {
  if (reason instanceof Unanswered) return reason;
  const root = reason instanceof StaleSocket ? reason.cause : reason;
  const code = root instanceof Error && 'code' in root && typeof root.code === 'string' ? root.code : '';
  if (code === 'PROXY' && root instanceof Error)
    return new Unanswered(code, `cannot be asked: ${root.message}`);
  return new Unanswered(code, code === '' ? 'cannot be reached' : `cannot be reached (${code})`);
}
