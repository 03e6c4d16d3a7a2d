import { setTimeout as sleep } from 'node:timers/promises';
import { type JetStreamClient, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { type NatsCluster, startNats } from '../../fakes/nats/cluster.ts';
import type { ScaledObjectRef } from '../../src/grpc/generated/externalscaler/ScaledObjectRef.ts';
import { goTool } from '../../test/support/tools/go.ts';
import { Followers } from '../support/followers.ts';
import type { Bench, Finding, Row } from '../support/row.ts';
import { median, quantile } from '../support/statistics.ts';

const consumers = 100;
const limits = { p50Ms: 5, p99Ms: 50 };
/** Between two trials. */
const pauseMs = { least: 20, most: 80 };
/** From the last acknowledgement to the next message. */
const restMs = 1000;
/** Longer than it takes until an edge's second `true`. */
const confirmedMs = 2500;
const consumer = 'worker';

export const natsWake: Row = {
  name: 'nats-wake',
  about:
    'from publishing a message to `true` on StreamIsActive, at quiet JetStream consumers and at ones that came to rest 1 s before',
  measure,
};

async function measure({ quick, progress, checkout }: Bench): Promise<Finding[]> {
  const server = await startNats({ program: await goTool('nats-server') });
  const streams = await Streams.make(server);
  const scaler = await checkout.serve({ connections: { bench: { source: 'nats', servers: server.urls } } });
  const followers = new Followers(scaler.address, new Map(streams.names.map((name) => [name, worker(name)])));
  const quietMs: number[] = [];
  const restedMs: number[] = [];
  try {
    for (let round = 0; round < (quick ? 1 : 3); round += 1) {
      progress('waiting until every consumer is quiet and watched');
      await scaler.atRest(consumers);
      for (const stream of streams.names) {
        await pause();
        quietMs.push(await trial(streams, followers, stream));
      }
      progress(`${quietMs.length} wakes, p50 ${median(quietMs).toFixed(2)} ms`);
      await sleep(confirmedMs);
      const trials: Promise<number>[] = [];
      for (const stream of streams.names) {
        await pause();
        const trial = rested(streams, followers, stream);
        // Handled below. Until then a failure must not count as unhandled.
        trial.catch(() => {});
        trials.push(trial);
      }
      restedMs.push(...(await Promise.all(trials)));
      progress(`${restMs} ms after rest, p50 ${median(restedMs).toFixed(2)} ms`);
      await sleep(confirmedMs);
      await Promise.all(streams.names.map((stream) => streams.drain(stream)));
    }
  } finally {
    followers.close();
    await scaler.stop();
    await streams.close();
    await server.stop();
  }
  const what = 'message published to `true` on StreamIsActive';
  return [
    finding(`${what}, ${consumers} quiet consumers, one server`, quietMs),
    finding(`the same, at a consumer that came to rest ${restMs / 1000} s before`, restedMs),
  ];
}

function worker(stream: string): ScaledObjectRef {
  return {
    name: `${stream}-worker`,
    namespace: 'team',
    scalerMetadata: { source: 'nats', stream, consumer },
  };
}

function pause(): Promise<void> {
  return sleep(pauseMs.least + Math.random() * (pauseMs.most - pauseMs.least));
}

/** Resolves with the ms from publishing to `true`, both in this process. */
async function trial(streams: Streams, followers: Followers, stream: string): Promise<number> {
  const told = followers.nextTrue(stream);
  const publishedMs = performance.now();
  await streams.publish(stream);
  return (await told) - publishedMs;
}

/**
 * The same for an active consumer that comes to rest. Everything is acknowledged, and the next message comes a second
 * later.
 */
async function rested(streams: Streams, followers: Followers, stream: string): Promise<number> {
  await streams.drain(stream);
  await Promise.all([followers.untilInactive(stream), sleep(restMs)]);
  return await trial(streams, followers, stream);
}

/** Streams with a durable consumer each, and the actions of a row. */
class Streams {
  readonly names = Array.from({ length: consumers }, (_, index) => `wake-${index}`);
  private readonly nats: NatsConnection;
  private readonly js: JetStreamClient;

  static async make(server: NatsCluster): Promise<Streams> {
    const nats = await connect({ servers: [...server.urls] });
    const streams = new Streams(nats);
    const manager = await jetstreamManager(nats);
    for (const name of streams.names) {
      await manager.streams.add({ name, subjects: [`${name}.>`] });
      await manager.consumers.add(name, { durable_name: consumer, ack_policy: 'explicit' });
    }
    return streams;
  }

  private constructor(nats: NatsConnection) {
    this.nats = nats;
    this.js = jetstream(nats);
  }

  /** Resolves when the stream has the message. */
  async publish(stream: string): Promise<void> {
    await this.js.publish(`${stream}.a`, 'a message');
  }

  /** Takes and acknowledges every message. */
  async drain(stream: string): Promise<void> {
    const from = await this.js.consumers.get(stream, consumer);
    const { num_pending: waiting } = await from.info();
    if (waiting === 0) return;
    for await (const message of await from.fetch({ max_messages: waiting, expires: 5_000 }))
      await message.ackAck();
  }

  close(): Promise<void> {
    return this.nats.close();
  }
}

function finding(what: string, tookMs: readonly number[]): Finding {
  const p50Ms = median(tookMs);
  const p99Ms = quantile(tookMs, 0.99);
  const minMs = Math.min(...tookMs);
  const maxMs = Math.max(...tookMs);
  const took = `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(1)} ms`;
  return {
    what,
    target: `p50 <= ${limits.p50Ms} ms, p99 <= ${limits.p99Ms} ms`,
    measured: `${took} (${tookMs.length} wakes, ${minMs.toFixed(2)} to ${maxMs.toFixed(1)})`,
    met: p50Ms <= limits.p50Ms && p99Ms <= limits.p99Ms,
    numbers: { p50Ms, p99Ms, minMs, maxMs, wakes: tookMs.length },
  };
}
