import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import { ScalerError } from '../../../../errors.ts';
import { serverName } from '../../../../server-name.ts';
import type { Logger } from '../../../../telemetry/log.ts';
import type { SourceMetrics } from '../../../../telemetry/metrics.ts';
import { fromErrorCode, fromKafka } from '../errors.ts';
import { type HostPort, parseAddress } from '../protocol/address.ts';
import { apiKeys, apiVersions, firstVersion, lastResortVersion, type VersionRange } from '../protocol/api.ts';
import { errorCodes } from '../protocol/error-codes.ts';
import type { KafkaJsConnection } from './kafkajs-connection.ts';
import type { KafkaSecurity, TlsSecurity } from './security.ts';
import type { Dialer, Wire } from './wire.ts';
import { BrokerWire } from './wire.ts';

export interface DialerOptions {
  /** What the broker's logs and quotas call us. */
  clientId: string;
  security: KafkaSecurity;
  /** The longest a broker may take to accept us, TLS and login included; the same for a renewed login. */
  connectTimeoutMs: number;
  log: Logger;
  metrics: Pick<SourceMetrics, 'request'>;
}

/** Kafkajs is only loaded where brokers are to be dialled. */
const transport = () => import('./kafkajs-connection.ts');

/** Dials brokers with the credentials of one connection. */
export function createDialer(options: DialerOptions): Dialer {
  void transport();
  const openSocket = brokerSockets(options.security.tls);
  const throttles = new Throttles(options);
  return { dial: (address) => dial(address, options, openSocket, throttles) };
}

/** How long after its last throttle a broker's next one is news. */
const calmMs = 600_000;
/** The most brokers that are remembered to have throttled us. */
const mostBrokers = 1000;

/** Names a broker that throttles us, once for as long as it goes on. */
class Throttles {
  private readonly options: Pick<DialerOptions, 'clientId' | 'log'>;
  private readonly lastAtMs = new Map<string, number>();

  constructor(options: Pick<DialerOptions, 'clientId' | 'log'>) {
    this.options = options;
  }

  noted(broker: string, throttleMs: number): void {
    const nowMs = performance.now();
    const calmSinceMs = nowMs - (this.lastAtMs.get(broker) ?? Number.NEGATIVE_INFINITY);
    if (this.lastAtMs.size >= mostBrokers) this.lastAtMs.clear();
    this.lastAtMs.set(broker, nowMs);
    if (calmSinceMs < calmMs) return;
    const { clientId, log } = this.options;
    log.warn(
      { broker, throttleMs },
      `broker ${broker}: throttles the scaler for ${throttleMs} ms, by a quota on its user or on the client ID "${clientId}": raise it; until then readings are older, and records wake later`,
    );
  }
}

async function dial(
  address: string,
  options: DialerOptions,
  openSocket: OpenSocket,
  throttles: Throttles,
): Promise<Wire> {
  const where = parseAddress(address);
  if (where === undefined) throw new ScalerError('unavailable', `broker "${address}" is not a host:port`);
  const { clientId, connectTimeoutMs, log, metrics, security } = options;
  const { KafkaJsConnection } = await transport();
  const connection = new KafkaJsConnection({
    address,
    where,
    clientId,
    sasl: security.sasl,
    openSocket,
    connectTimeoutMs,
    log,
    metrics,
  });
  const deadline = setTimeout(() => {
    const text = `broker ${address} does not accept the connection within ${connectTimeoutMs} ms`;
    connection.destroy(new ScalerError('unavailable', text));
  }, connectTimeoutMs);
  try {
    await connection.connect();
    const versions = await askVersions(connection, address);
    await connection.login(versions);
    return new BrokerWire({
      address,
      connection,
      versions,
      loginTimeoutMs: connectTimeoutMs,
      onThrottled: (throttleMs) => throttles.noted(address, throttleMs),
    });
  } catch (reason) {
    const error = fromKafka(reason, address);
    connection.destroy(error);
    throw error;
  } finally {
    clearTimeout(deadline);
  }
}

/**
 * A broker that does not take our version of this request answers by version 0 of it. That has the whole list
 * (Azure Event Hubs), its versions of this API (since Kafka 2.4, KIP-511), or nothing. Then we repeat it in version 0.
 */
async function askVersions(
  connection: KafkaJsConnection,
  address: string,
): Promise<ReadonlyMap<number, VersionRange>> {
  let answer = await connection.exchange(apiVersions().at(firstVersion));
  if (answer.errorCode === errorCodes.UNSUPPORTED_VERSION && !answer.versions.has(apiKeys.metadata)) {
    answer = await connection.exchange(apiVersions().at(lastResortVersion));
  }
  const { errorCode, versions } = answer;
  if (errorCode === errorCodes.NONE || versions.has(apiKeys.metadata)) return versions;
  throw fromErrorCode(errorCode, `ApiVersions of broker ${address}`);
}

/** So that a broker whose host is gone is noticed while a wire has nothing to say. */
const keepAliveMs = 30_000;

export type OpenSocket = (where: HostPort, onConnect: () => void) => Socket;

/** Opens sockets to brokers, encrypted or not. Throws on a PEM that cannot be read. */
export function brokerSockets(tls: TlsSecurity): OpenSocket {
  // Reading the PEMs costs ms, so that every socket shares one context.
  let context: SecureContext | undefined;

  function open({ host, port }: HostPort, onConnect: () => void): Socket {
    if (tls === false) return connectPlain({ host, port }, onConnect);
    context ??= createSecureContext({
      ca: tls.ca,
      cert: tls.cert,
      key: tls.key,
      passphrase: tls.keyPassword,
    });
    const rejectUnauthorized = tls.insecureSkipVerify !== true;
    // Server names are names: RFC 6066 §3 forbids addresses.
    const servername = isIP(host) === 0 ? { servername: serverName(host) } : {};
    return connectTls({ host, port, secureContext: context, rejectUnauthorized, ...servername }, onConnect);
  }

  return (where, onConnect) => {
    const socket = open(where, onConnect);
    socket.setKeepAlive(true, keepAliveMs);
    socket.setNoDelay(true);
    return socket;
  };
}
