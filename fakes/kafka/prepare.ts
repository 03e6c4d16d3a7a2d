import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ScalerError } from '../../src/errors.ts';
import { Broker } from './broker.ts';
import type { Distribution } from './distribution.ts';
import type { KafkaOptions } from './options.ts';
import { type NodeLayout, type NodePorts, serverProperties } from './properties.ts';

const run = promisify(execFile);
const clusterId = 'YmFja2xvZy1zY2FsZXItMQ';

export const portsPerNode = 6;

/** Writes the configuration of every node and formats its storage, users included. Then the brokers can be spawned. */
export async function prepareBrokers(
  distribution: Distribution,
  directory: string,
  ports: readonly number[],
  options: KafkaOptions,
): Promise<Broker[]> {
  const nodes = Array.from({ length: options.brokers ?? 1 }, (_, index) =>
    layout(index + 1, directory, ports),
  );
  return await Promise.all(
    nodes.map(async (node) => {
      const files = {
        properties: join(directory, `server-${node.id}.properties`),
        log: join(directory, `server-${node.id}.log`),
      };
      await writeFile(files.properties, serverProperties(node, nodes, options), { mode: 0o600 });
      await format(distribution, files.properties, options.users ?? {});
      const process = { heapMiB: options.heapMiB ?? 384, stats: options.stats ?? false };
      return new Broker(distribution, node, files, process);
    }),
  );
}

function layout(id: number, directory: string, all: readonly number[]): NodeLayout {
  const [controller, plain, sasl, tls, saslTls, stats] = all.slice(
    (id - 1) * portsPerNode,
    id * portsPerNode,
  );
  const ports = { controller, plain, sasl, tls, saslTls, stats };
  if (!isComplete(ports))
    throw new ScalerError('internal', `node ${id} has fewer than ${portsPerNode} ports`);
  return { id, ports, dataDirectory: join(directory, `data-${id}`) };
}

function isComplete(ports: { [K in keyof NodePorts]: number | undefined }): ports is NodePorts {
  return Object.values(ports).every((port) => port !== undefined);
}

/** SCRAM users are part of the formatted storage, so that they exist before the first start (KIP-900). */
async function format(
  distribution: Distribution,
  properties: string,
  users: Readonly<Record<string, string>>,
): Promise<void> {
  const scram = Object.entries(users).flatMap(([name, password]) =>
    ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name=${name},password=${password}]`,
    ]),
  );
  const jvm = [
    '-XX:TieredStopAtLevel=1',
    `-Dlog4j2.configurationFile=${distribution.loggingFile}`,
    '-cp',
    distribution.classpath,
  ];
  const tool = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', properties, ...scram];
  try {
    await run(distribution.java, [...jvm, ...tool]);
  } catch (error) {
    const printed =
      error instanceof Error && 'stderr' in error ? String(error.stderr).trim().split('\n')[0] : '';
    // The command line contains the users' passwords, so the error itself is dropped.
    throw new ScalerError('unavailable', `Kafka's storage could not be formatted: ${printed}`);
  }
}
