import { setTimeout as sleep } from 'node:timers/promises';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect, nanos } from '@nats-io/transport-node';

const ageMs = 366 * 86_400_000;

/** Makes a scaler's event log in NATS look as if it had every event of its connections since a year ago. */
export async function ageStream(servers: readonly string[], stream: string): Promise<void> {
  const connection = await connect({ servers: [...servers] });
  try {
    const bucket = await new Kvm(jetstream(connection)).open(`${stream}-since`);
    for await (const key of await bucket.keys()) {
      const entry = await bucket.get(key);
      if (entry === null) continue;
      const head = entry.json<{ atMs: number }>();
      await bucket.put(key, JSON.stringify({ ...head, atMs: head.atMs - ageMs }));
    }
  } finally {
    await connection.drain();
  }
}

const electionAskMs = 500;

/**
 * Resolves when a cluster that has lost a server does again what pods need of it: its stream and the bucket beside it have
 * leaders, and it makes consumers. `servers` are those that are left.
 */
export async function elected(servers: readonly string[], stream: string): Promise<void> {
  const connection = await connect({ servers: [...servers], maxReconnectAttempts: -1 });
  // A request that is sent during an election is never answered.
  const client = jetstream(connection, { timeout: electionAskMs });
  try {
    const manager = await jetstreamManager(connection, { timeout: electionAskMs, checkAPI: false });
    const works = async (): Promise<boolean> => {
      const { cluster } = await manager.streams.info(stream);
      if (!cluster?.leader) return false;
      await (await new Kvm(client).open(`${stream}-since`)).get('=stream');
      const short = { inactive_threshold: nanos(60_000), mem_storage: true } as const;
      const { name } = await manager.consumers.add(stream, { ...short, ack_policy: 'none' });
      return manager.consumers.delete(stream, name);
    };
    while (!(await works().catch(() => false))) await sleep(electionAskMs / 5);
  } finally {
    await connection.close();
  }
}

/** The name of the server that leads the stream. */
export async function leaderOf(servers: readonly string[], stream: string): Promise<string> {
  const connection = await connect({ servers: [...servers] });
  try {
    const { cluster } = await (await jetstreamManager(connection)).streams.info(stream);
    if (cluster?.leader === undefined) throw new Error(`${stream} has no leader`);
    return cluster.leader;
  } finally {
    await connection.drain();
  }
}
