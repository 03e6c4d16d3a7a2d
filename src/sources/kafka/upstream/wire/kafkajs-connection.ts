import type { Socket } from 'node:net';
import type { AuthenticationProviderArgs, Authenticator } from 'kafkajs';
import type { ConnectionOptions, KafkaJsLogger, KafkaJsSasl } from 'kafkajs/src/network/connection.js';
import Connection from 'kafkajs/src/network/connection.js';
import { ScalerError } from '../../../../errors.ts';
import type { Logger } from '../../../../telemetry/log.ts';
import type { SourceMetrics } from '../../../../telemetry/metrics.ts';
import { ownTurn } from '../../../../turns.ts';
import { closedByBroker, fromKafka, isRefusedLogin } from '../errors.ts';
import type { HostPort } from '../protocol/address.ts';
import type { KafkaAnswer, VersionedRequest, VersionRange } from '../protocol/api.ts';
import { apiKeys } from '../protocol/api.ts';
import { Decoder } from '../protocol/decoder.ts';
import { Encoder } from '../protocol/encoder.ts';
import './kafkajs-idle-timer.ts';
import type { OpenSocket } from './dialer.ts';
import type { SaslSecurity } from './security.ts';
import type { TokenProvider } from './tokens.ts';

/** The largest answer that is believed: what is not Kafka reads as a length of hundreds of MiB. */
const maxAnswerBytes = 128 * 1024 * 1024;
/** An answer of more is read in a turn of the event loop of its own: it is about hundreds of topics. */
const largeAnswerBytes = 16 * 1024;
/** The longest a broker's wish for silence is followed; it is asked again then. */
const maxThrottleMs = 30_000;
/** A login is renewed when this part of its life is left (KIP-368). */
const renewalPart = 0.2;
/** A broker answers ILLEGAL_SASL_STATE to who renews sooner than this after a login (KIP-368). */
const leastRenewalMs = 1000;

export interface KafkaJsConnectionOptions {
  /** For messages. */
  address: string;
  where: HostPort;
  clientId: string;
  sasl: SaslSecurity | undefined;
  openSocket: OpenSocket;
  connectTimeoutMs: number;
  log: Logger;
  metrics: Pick<SourceMetrics, 'request'>;
}

/**
 * One socket of kafkajs 2.2.4: framing, correlation and SASL are its own. This file knows its internals, and
 * tames them; the timer of its queue is tamed in kafkajs-idle-timer.ts.
 * - Its request timeout leaves the socket open and wakes ten times a second; it is off, and the owner destroys.
 * - `disconnect()` waits for requests in flight; `destroy` rejects them first.
 * - What cannot be a Kafka answer throws in the socket's event handler, which would end the process.
 */
export class KafkaJsConnection {
  private readonly options: KafkaJsConnectionOptions;
  private readonly connection: Connection;
  private socket: Socket | undefined;
  private goneReason: ScalerError | undefined;
  private readonly goneListeners = new Set<(reason: ScalerError) => void>();

  constructor(options: KafkaJsConnectionOptions) {
    this.options = options;
    this.connection = new Connection({
      ...options.where,
      clientId: options.clientId,
      logger: kafkaJsLogger(options.log),
      socketFactory: (socket) => this.openSocket(socket),
      sasl: kafkaJsSasl(options.sasl),
      // The owner's own deadline comes first: it covers the login as well.
      connectionTimeout: options.connectTimeoutMs * 2,
      requestTimeout: 0,
      enforceRequestTimeout: false,
    });
    this.guardData();
    this.countRequests();
  }

  /** Why the socket is gone; undefined while it is not. */
  get gone(): ScalerError | undefined {
    return this.goneReason;
  }

  /** Whether the login must be made or renewed before anything else is sent. */
  get loginDue(): boolean {
    return this.options.sasl !== undefined && !this.connection.isAuthenticated();
  }

  /** How long the broker still wants silence (KIP-219), in ms. */
  get throttledMs(): number {
    return Math.max(0, this.connection.requestQueue.throttledUntil - Date.now());
  }

  async connect(): Promise<void> {
    await this.unlessGone(this.connection.connect());
  }

  /** Logs in, or renews the login. Nothing else may be under way. */
  async login(versions: ReadonlyMap<number, VersionRange>): Promise<void> {
    const ranges = [...versions].map(([key, { min, max }]) => [key, { minVersion: min, maxVersion: max }]);
    this.connection.setVersions(Object.fromEntries(ranges));
    // Every broker since Kafka 1.0 has SaslAuthenticate. Without it kafkajs takes any bytes for the SASL answer.
    this.connection.setSupportAuthenticationProtocol(true);
    await this.unlessGone(this.connection.authenticate());
    const lifetimeMs = this.connection.sessionLifetime.toNumber();
    // The default of 10 s would renew a session of 5 s before every request.
    const leftMs = Math.min(Math.ceil(lifetimeMs * renewalPart), lifetimeMs - leastRenewalMs);
    this.connection.reauthenticationThreshold = leftMs;
  }

  /** Sends one request. Rejects with whatever went wrong; an answer that cannot be read destroys the socket. */
  exchange<T extends KafkaAnswer>(request: VersionedRequest<T>): Promise<T> {
    const bytes = encode(request);
    const sent = this.connection.send({
      request: { ...request, encode: async () => ({ buf: bytes, buffer: bytes }) },
      response: {
        decode: async (payload) => {
          if (payload.length > largeAnswerBytes) await ownTurn();
          const answer = this.read(request, payload);
          return { answer, clientSideThrottleTime: Math.min(answer.throttleTimeMs, maxThrottleMs) };
        },
        parse: async ({ answer }) => answer,
      },
      logResponseError: false,
    });
    return this.unlessGone(sent);
  }

  /** Destroys the socket and rejects all requests. Only the first reason counts. */
  destroy(reason: ScalerError): void {
    if (this.goneReason !== undefined) return;
    this.goneReason = reason;
    this.connection.rejectRequests(reason);
    this.connection.requestQueue.destroy();
    // With an error, so that kafkajs ends what it still waits for.
    this.socket?.destroy(reason);
    for (const listener of this.goneListeners) listener(reason);
    this.goneListeners.clear();
  }

  private read<T extends KafkaAnswer>(request: VersionedRequest<T>, payload: Buffer): T {
    const decoder = new Decoder(payload);
    try {
      // KIP-511: the answer to ApiVersions never has tagged fields in its header.
      if (request.flexible && request.apiKey !== apiKeys.apiVersions) decoder.skipTags();
      return request.read(decoder);
    } catch (reason) {
      const where = `broker ${this.options.address}: ${request.apiName} v${request.apiVersion}`;
      const error = ScalerError.from(reason).within(where);
      this.destroy(error);
      throw error;
    }
  }

  private openSocket({ onConnect }: Parameters<ConnectionOptions['socketFactory']>[0]): Socket {
    const { address, where, openSocket } = this.options;
    const socket = openSocket(where, onConnect);
    // Listens before kafkajs does, so that ours is the reason that everybody sees.
    const closed = () => this.destroy(new ScalerError('unavailable', `broker ${address} ${closedByBroker}`));
    socket.on('error', (reason) => this.destroy(fromKafka(reason, address)));
    socket.on('end', closed);
    socket.on('close', closed);
    this.socket = socket;
    return socket;
  }

  private guardData(): void {
    const { connection } = this;
    const processData = connection.processData.bind(connection);
    connection.processData = (data) => {
      if (this.goneReason !== undefined) return;
      try {
        processData(data);
      } catch (reason) {
        this.destroy(this.notKafka(reason));
      }
      if (connection.bytesNeeded > maxAnswerBytes) this.destroy(this.notKafka());
    };
  }

  private notKafka(cause?: unknown): ScalerError {
    return new ScalerError(
      'unavailable',
      `broker ${this.options.address} does not speak Kafka's protocol here: check its port, and whether this listener wants \`tls\``,
      { cause },
    );
  }

  /** Counts each request where it is written, so that kafkajs's own SASL requests are in it. */
  private countRequests(): void {
    const { connection } = this;
    const send = connection.send.bind(connection);
    connection.send = async (exchange) => {
      try {
        const answer = await send(exchange);
        this.options.metrics.request(exchange.request.apiName, 'ok');
        return answer;
      } catch (reason) {
        this.options.metrics.request(exchange.request.apiName, 'error');
        throw reason;
      }
    };
  }

  /** kafkajs leaves a promise pending when the socket goes between its steps. */
  private unlessGone<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.goneReason !== undefined) reject(this.goneReason);
      this.goneListeners.add(reject);
      promise.then(resolve, reject).finally(() => this.goneListeners.delete(reject));
    });
  }
}

function encode<T extends KafkaAnswer>(request: VersionedRequest<T>): Buffer {
  const encoder = new Encoder();
  if (request.flexible) encoder.noTags();
  request.write(encoder);
  return encoder.finish();
}

/** A new object for every connection: kafkajs keeps its authenticator in it. */
function kafkaJsSasl(sasl: SaslSecurity | undefined): KafkaJsSasl | null {
  if (sasl === undefined) return null;
  if (sasl.mechanism !== 'oauthbearer') return { ...sasl };
  return { mechanism: sasl.mechanism, authenticationProvider: oauthBearer(sasl.token, sasl.extensions) };
}

/** At debug only: we say failures ourselves. The extras are dropped, they can hold whole answers. */
function kafkaJsLogger(log: Logger): KafkaJsLogger {
  const say = (message: string) => log.debug({}, `kafkajs: ${message}`);
  const logger = { info: say, error: say, warn: say, debug: say, namespace: () => logger };
  return logger;
}

const separator = '\u0001';

/**
 * The OAUTHBEARER login (RFC 7628, KIP-255) as a mechanism of kafkajs. Its own does not read what the broker
 * answers, and a refused token comes as an answer: it would look like a login until the next request fails.
 */
export function oauthBearer(
  token: TokenProvider,
  extensions: Readonly<Record<string, string>> = {},
): (args: AuthenticationProviderArgs) => Authenticator {
  return ({ host, port, saslAuthenticate }) => ({
    async authenticate() {
      const current = await token();
      const request = bearerRequest(current, extensions);
      const refusal = await saslAuthenticate({
        request: { encode: () => request },
        response: { decode: withoutLength, parse: (answer) => answer.toString('utf8') },
      }).catch((reason: unknown) => {
        if (isRefusedLogin(reason)) token.refused?.(current);
        throw reason;
      });
      if (!refusal) return;
      token.refused?.(current);
      throw new ScalerError(
        'unavailable',
        `broker ${host}:${port} refuses the bearer token${status(refusal)}: check the connection's \`sasl\``,
      );
    },
  });
}

/** kafkajs wants the message behind its length, as SASL was before KIP-152, and takes the length off again. */
function bearerRequest(token: string, extensions: Readonly<Record<string, string>>): Buffer {
  const pairs = Object.entries(extensions).map(([key, value]) => `${key}=${value}${separator}`);
  const message = Buffer.from(`n,,${separator}auth=Bearer ${token}${separator}${pairs.join('')}${separator}`);
  const length = Buffer.alloc(4);
  length.writeInt32BE(message.length);
  return Buffer.concat([length, message]);
}

function withoutLength(answer: Buffer): Buffer {
  return answer.subarray(4);
}

/** The `status` of RFC 7628 §3.2.2. */
function status(refusal: string): string {
  const word = /"status"\s*:\s*"(\w{1,64})"/.exec(refusal)?.[1];
  return word === undefined ? '' : ` (${word})`;
}
