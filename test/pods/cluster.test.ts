import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { natsSettings } from '../../src/outbound/nats.ts';
import { Pods } from '../../src/pods/pods.ts';
import type { Peers } from '../../src/sources/source.ts';
import { newStream } from '../support/nats/event-log.ts';
import { useNats } from '../support/nats/server.ts';
import { recordingLogger } from '../support/recording-logger.ts';

const nats = useNats({ nodes: 3 });

it('with three servers that are killed in turn, one pod has the lease again each time, and never two', async () => {
  const stream = newStream();
  const all: Peers[] = [];
  let together = 0;
  const count = (): number => {
    const holding = all.filter(({ term }) => term !== undefined).length;
    if (holding > 1) together += 1;
    return holding;
  };
  for (let i = 0; i < 3; i += 1) {
    const log = recordingLogger();
    const parsed = z.object(natsSettings).parse({ servers: nats().urls });
    const pods = new Pods({
      settings: { ...parsed, stream, replicas: 3 },
      hinted() {},
      surging() {},
      held() {},
      gaveUp() {},
      log,
    });
    const duties = { answer: () => Promise.resolve(1), hear() {}, changed: () => void count() };
    pods.open();
    const peers = pods.peersOf('ci', 'acme', duties, log);
    all.push(peers);
    onTestFinished(async () => {
      await peers.close();
      await pods.close();
    });
  }
  await expect.poll(count).toBe(1);
  for (const name of ['n1', 'n2', 'n3']) {
    await nats().server(name).kill();
    // It may have been lost with the server.
    await expect.poll(count).toBe(1);
    await nats().restart(name);
    await expect.poll(count).toBe(1);
  }
  expect(together).toBe(0);
});
