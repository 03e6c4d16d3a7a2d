import { ScalerError } from '../../../errors.ts';
import type { Logger } from '../../../telemetry/log.ts';
import type { SourceMetrics } from '../../../telemetry/metrics.ts';
import { fromErrorCode, fromKafka } from '../errors.ts';
import { parseAddress } from '../protocol/address.ts';
import { apiVersions } from '../protocol/api-versions.ts';
import { errorCodes } from '../protocol/error-codes.ts';
import { brokerSockets, type OpenSocket } from './broker-socket.ts';
import { BrokerWire } from './broker-wire.ts';
import { KafkaJsConnection } from './kafkajs-connection.ts';
import type { KafkaSecurity } from './security.ts';
import type { Dialer, VersionRange, Wire } from './wire.ts';

export interface DialerOptions {
  /** What the broker's logs and quotas call us. */
  clientId: string;
  security: KafkaSecurity;
  /** The longest a broker may take to accept us, TLS and login included; the same for a renewed login. */
  connectTimeoutMs: number;
  log: Logger;
  metrics: Pick<SourceMetrics, 'request'>;
}

/** Dials brokers with the credentials of one connection. */
export function createDialer(options: DialerOptions): Dialer {
  const openSocket = brokerSockets(options.security.tls);
  return { dial: (address) => dial(address, options, openSocket) };
}

async function dial(address: string, options: DialerOptions, openSocket: OpenSocket): Promise<Wire> {
  const where = parseAddress(address);
  if (where === undefined) throw new ScalerError('unavailable', `broker "${address}" is not a host:port`);
  const { clientId, connectTimeoutMs, log, metrics, security } = options;
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
    const text = `broker ${address} does not accept us within ${connectTimeoutMs} ms`;
    connection.destroy(new ScalerError('unavailable', text));
  }, connectTimeoutMs);
  try {
    await connection.connect();
    const versions = await askVersions(connection, address);
    await connection.login(versions);
    return new BrokerWire({ address, connection, versions, loginTimeoutMs: connectTimeoutMs });
  } catch (reason) {
    const error = fromKafka(reason, address);
    connection.destroy(error);
    throw error;
  } finally {
    clearTimeout(deadline);
  }
}

async function askVersions(
  connection: KafkaJsConnection,
  address: string,
): Promise<ReadonlyMap<number, VersionRange>> {
  const { errorCode, versions } = await connection.exchange(apiVersions());
  if (errorCode === errorCodes.NONE) return versions;
  throw fromErrorCode(errorCode, `ApiVersions of broker ${address}`);
}
