import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { holdPorts } from '../fakes/ports.ts';
import { loadConfig } from '../src/config/load.ts';
import { ScalerError } from '../src/errors.ts';
import { Scaler } from '../src/scaler.ts';
import { sources } from '../src/sources/index.ts';
import { createLogger } from '../src/telemetry/log.ts';

const readyLimitMs = 30_000;

/** A running scaler, and some of its own counts. */
export interface RunningScaler {
  /** The address of its gRPC service. */
  readonly address: string;
  /** The address for webhooks and hints. Present if its source or a token lets somebody send them. */
  readonly ingestUrl: string;
  /** The address of its status page. */
  readonly pageUrl: string;
  rpcsAnswered(): Promise<number>;
  /** How many requests it has sent to its source. */
  requestsSent(): Promise<number>;
  stop(): Promise<void>;
}

export interface ScalerSetting {
  /** For the configuration file and, relative to it, the files of secrets. */
  readonly directory: string;
  /** The settings of the connection `demo`. */
  readonly connection: Readonly<Record<string, unknown>>;
  /** `ingest.tokens`: who may send hints. */
  readonly ingestTokens?: readonly Readonly<Record<string, unknown>>[];
}

/** Starts the scaler from a configuration file, as `serve` does. */
export async function startScaler({
  directory,
  connection,
  ingestTokens = [],
}: ScalerSetting): Promise<RunningScaler> {
  const ports = await holdPorts(3);
  const [grpcPort, adminPort, ingestPort] = ports.numbers;
  const file = join(directory, 'backlog-scaler.yaml');
  const host = '127.0.0.1';
  const document = {
    log: { level: 'silent' },
    grpc: { host, port: grpcPort },
    admin: { host, port: adminPort },
    ingest: { host, port: ingestPort, tokens: ingestTokens },
    // Nothing leaves this machine.
    security: { allowPlaintextSecrets: true },
    connections: { demo: connection },
  };
  await writeFile(file, stringify(document));
  const load = () => loadConfig(file, { environment: {}, sources });
  const loaded = await load();
  await ports.release();
  if (loaded.kind === 'refused') throw new ScalerError('internal', loaded.faults.join('\n'));
  const log = createLogger(loaded.config.settings.log.level);
  const scaler = new Scaler({ sources, loaded, load, log });
  await scaler.start();
  await ready(`http://${host}:${adminPort}/readyz`);
  return {
    address: `${host}:${grpcPort}`,
    ingestUrl: `http://${host}:${ingestPort}/ingest`,
    pageUrl: `http://${host}:${adminPort}/`,
    rpcsAnswered: () => total(scaler.metrics.rpcRequests),
    requestsSent: () => total(scaler.metrics.sourceRequests),
    stop: () => scaler.stop('the demo is over'),
  };
}

/** A source with a ledger is ready only once the ledger was filled. */
async function ready(url: string): Promise<void> {
  const deadline = performance.now() + readyLimitMs;
  while (!(await fetch(url)).ok) {
    if (performance.now() > deadline) throw new ScalerError('unavailable', 'the scaler did not get ready');
    await sleep(20);
  }
}

async function total(counter: { get(): Promise<{ values: { value: number }[] }> }): Promise<number> {
  const { values } = await counter.get();
  return values.reduce((sum, { value }) => sum + value, 0);
}
