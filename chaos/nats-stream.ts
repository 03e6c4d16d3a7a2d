import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect } from '@nats-io/transport-node';

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
