import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../fakes/kafka/eventually.ts';
import type { PartitionEnd } from '../../../src/sources/kafka/upstream/watch/settings.ts';
import { Watcher } from '../../../src/sources/kafka/upstream/watch/watcher.ts';
import { createDialer } from '../../../src/sources/kafka/upstream/wire/dialer.ts';
import type { Watch } from '../../../src/sources/source.ts';
import { silentLogger } from '../../../src/telemetry/log.ts';
import { type TestKafka, useKafka } from '../../support/kafka/broker.ts';

const opened: Watcher[] = [];
afterEach(() => {
  for (const watcher of opened.splice(0)) watcher.close();
});

function watcherOf({ cluster }: TestKafka): Watcher {
  const address = cluster.bootstrap.plain[0];
  const dialer = createDialer({
    clientId: 'watch-test',
    security: { tls: false },
    connectTimeoutMs: 10_000,
    log: silentLogger,
    metrics: { request() {} },
  });
  const leaders = { locate: () => address, forget() {} };
  const made = new Watcher({ dialer, leaders, log: silentLogger }, { watchMaxWaitMs: 2000, lingerMs: 0 });
  opened.push(made);
  return made;
}

interface Armed {
  watch: Watch;
  /** The cause of its wake. */
  woken: Promise<string>;
}

function arm(on: Watcher, partitions: readonly PartitionEnd[]): Armed {
  let wake: (cause: string) => void = () => {};
  const woken = new Promise<string>((resolve) => {
    wake = resolve;
  });
  return { watch: on.arm({ partitions, isolationLevel: 'readUncommitted' }, wake), woken };
}

async function armed(on: Watcher, partitions: readonly PartitionEnd[]): Promise<Armed> {
  const made = arm(on, partitions);
  await eventually(async () => expect(made.watch.state).toBe('armed'));
  return made;
}

function ends(topic: string, partitions: number, end = 0): PartitionEnd[] {
  return Array.from({ length: partitions }, (_, partition) => ({ topic, partition, end }));
}

describe('a watch on a real broker', () => {
  const kafka = useKafka();
  const watcher = (): Watcher => watcherOf(kafka());

  it('wakes for a record, one subject of many in the session, and again after it was armed again', async () => {
    const on = watcher();
    const [topic, other] = [await kafka().createTopic({ partitions: 50 }), await kafka().createTopic()];
    const first = await armed(on, ends(topic, 50));
    const bystander = await armed(on, ends(other, 1));
    await kafka().produce(topic, 1, { partition: 37 });
    expect(await first.woken).toBe('record');
    const later = ends(topic, 50).map((each) => ({ ...each, end: each.partition === 37 ? 1 : 0 }));
    const again = await armed(on, later);
    await kafka().produce(topic, 1, { partition: 37 });
    expect(await again.woken).toBe('record');
    expect(bystander.watch.state).toBe('armed');
  });

  it('wakes for a record that came between the snapshot and the arming', async () => {
    const topic = await kafka().createTopic();
    await kafka().produce(topic, 3);
    expect(await arm(watcher(), ends(topic, 1, 2)).woken).toBe('record');
  });

  it('wakes when the topic is deleted', async () => {
    const topic = await kafka().createTopic();
    const { woken } = await armed(watcher(), ends(topic, 1));
    await kafka().admin.deleteTopics({ topics: [topic] });
    expect(await woken).toBe('topic changed');
  });

  it('wakes if the log is shorter than in the snapshot', async () => {
    const topic = await kafka().createTopic();
    expect(await arm(watcher(), ends(topic, 1, 7)).woken).toBe('topic changed');
  });

  it('wakes when the broker is killed, and is armed again when it is back', async () => {
    const topic = await kafka().createTopic();
    const on = watcher();
    const { watch, woken } = await armed(on, ends(topic, 1));
    const { confirmedAtMs } = watch;
    // A broker that dies before it continued the session counts as one that refuses.
    await eventually(async () => expect(watch.confirmedAtMs).not.toBe(confirmedAtMs));
    await kafka().cluster.broker(1).kill();
    expect(await woken).toBe('watch lost');
    const refused = arm(on, ends(topic, 1));
    await eventually(async () => expect(refused.watch.state).toBe('refused'));
    await kafka().cluster.restart(1);
    await eventually(async () => {
      const { watch } = arm(on, ends(topic, 1));
      await sleep(200);
      expect(watch.state).toBe('armed');
    });
  });
});

describe('a broker without room for fetch sessions', () => {
  // The slots are split into eight caches, so fewer than eight mean none.
  const kafka = useKafka({ properties: { 'max.incremental.fetch.session.cache.slots': '1' } });

  it('refuses a watch', async () => {
    const topic = await kafka().createTopic();
    const { watch } = arm(watcherOf(kafka()), ends(topic, 1));
    await eventually(async () => expect(watch.state).toBe('refused'));
  });
});
