import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { loadConfig } from '../config/load.ts';
import { ScalerError } from '../errors.ts';
import { Scaler } from '../scaler.ts';
import { sources } from '../sources/index.ts';
import { createLogger } from '../telemetry/log.ts';
import { holdPorts } from './kafka/ports.ts';

/** A running scaler and what it counts about itself. */
export interface RunningScaler {
  /** Where its gRPC service listens. */
  readonly address: string;
  rpcsAnswered(): Promise<number>;
  /** Requests it has sent to Kafka. */
  requestsSent(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts the scaler just as `serve` does, from a configuration file that is written into `directory`. */
export async function startScaler(
  directory: string,
  bootstrapServers: readonly string[],
): Promise<RunningScaler> {
  const ports = await holdPorts(2);
  const [grpcPort, adminPort] = ports.numbers;
  const file = join(directory, 'backlog-scaler.yaml');
  const host = '127.0.0.1';
  const document = {
    log: { level: 'silent' },
    grpc: { host, port: grpcPort },
    admin: { host, port: adminPort },
    connections: { demo: { source: 'kafka', bootstrapServers } },
  };
  await writeFile(file, stringify(document));
  const load = () => loadConfig(file, { environment: {}, sources });
  const loaded = await load();
  await ports.release();
  if (loaded.kind === 'refused') throw new ScalerError('internal', loaded.faults.join('\n'));
  const { config, stamps } = loaded;
  const scaler = new Scaler({ sources, config, stamps, load, log: createLogger(config.settings.log.level) });
  await scaler.start();
  return {
    address: `${host}:${grpcPort}`,
    rpcsAnswered: () => total(scaler.metrics.rpcRequests),
    requestsSent: () => total(scaler.metrics.sourceRequests),
    stop: () => scaler.stop('the demo is over'),
  };
}

async function total(counter: { get(): Promise<{ values: { value: number }[] }> }): Promise<number> {
  const { values } = await counter.get();
  return values.reduce((sum, { value }) => sum + value, 0);
}
