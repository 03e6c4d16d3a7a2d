import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { tooLow } from '../../support/github-keda.ts';
import { eager, eventually, longLived, SqsScene, shortLived } from '../../support/sqs/scene.ts';
import * as trouble from '../../support/sqs/trouble.ts';
import { useSqs } from '../../support/sqs/use-sqs.ts';

interface Fault {
  readonly name: string;
  readonly of: trouble.Trouble;
  readonly why: RegExp;
}

const faults: readonly Fault[] = [
  { name: 'is throttled', of: trouble.requestThrottled, why: /throttl/i },
  { name: 'is throttled before it reaches SQS', of: trouble.rateExceeded, why: /throttl|rate exceeded/i },
  { name: 'answers 503', of: trouble.unavailable, why: /503/ },
  { name: 'answers 500', of: trouble.internalFailure, why: /500|InternalFailure/ },
  { name: 'resets connections', of: trouble.reset, why: /connection|ECONNRESET/i },
  { name: 'does not answer', of: trouble.hang, why: /answer|time/i },
  { name: 'leaves out the counts', of: trouble.noAttributes, why: /ApproximateNumberOfMessages/ },
  { name: 'denies us', of: trouble.accessDenied, why: /GetQueueAttributes/i },
  { name: 'says that credentials are expired', of: trouble.expiredToken, why: /expired/i },
  { name: 'does not know the credentials', of: trouble.invalidToken, why: /credential|token|key/i },
  { name: 'has another region', of: trouble.wrongRegion, why: /region/i },
];

describe.concurrent('SQS in trouble', () => {
  const sqs = useSqs('moto');

  for (const { name, of, why } of faults) {
    it(`a queue ${name}: held, then UNAVAILABLE, never zero; others unmoved; right again after it`, async (test) => {
      const scene = await SqsScene.start(test, sqs(), { connection: { ...eager, requestTimeoutMs: 500 } });
      const { queues, proxy } = scene;
      const [ill, well] = [await queues.create(), await queues.create()];
      for (const queue of [ill, well]) {
        await queues.send(queue, 3);
        await scene.becomes(queue, { number: 3, active: true }, shortLived);
      }
      const mend = proxy.trouble(of, { operation: 'GetQueueAttributes', queue: ill });
      const polled = scene.poll(test, ill, longLived);
      const unmoved = scene.poll(test, well, shortLived);
      await scene.becomesUnknown(ill, 'UNAVAILABLE', why, shortLived);
      expect(tooLow(await unmoved.stop(), 3)).toEqual([]);
      await queues.send(ill, 2);
      mend();
      await scene.becomes(ill, { number: 5, active: true }, shortLived);
      expect(tooLow(await polled.stop(), 3)).toEqual([]);
    });
  }

  it('throttled from the start: no storm, and other queues are read as usual', async (test) => {
    const scene = await SqsScene.start(test, sqs(), { connection: eager });
    const { queues, proxy } = scene;
    const throttled = await Promise.all([1, 2, 3].map(() => queues.create()));
    const well = await queues.create();
    const mends = throttled.map((queue) => proxy.trouble(trouble.requestThrottled, { queue }));
    const asked = (queue: string) => proxy.count({ queue });
    for (const queue of throttled) await scene.becomesUnknown(queue, 'UNAVAILABLE', /throttl/i, shortLived);
    await scene.becomes(well, { number: 0, active: false }, shortLived);
    const before = throttled.map(asked);
    const beforeOfWell = asked(well);
    // Any token holder can wake the queues, here ten times a second. That must not cause more reads of throttled ones.
    for (let round = 0; round < 60; round += 1) {
      for (const queue of throttled) expect(await scene.hint(queue)).toBe(202);
      await sleep(100);
    }
    // In these six seconds the clock alone would have read each of them six times.
    const during = throttled.map((queue, index) => asked(queue) - (before[index] ?? 0));
    for (const requests of during) expect(requests).toBeLessThanOrEqual(3);
    expect(asked(well) - beforeOfWell).toBeGreaterThanOrEqual(3);
    for (const mend of mends) mend();
    for (const queue of throttled) await scene.becomes(queue, { number: 0, active: false }, shortLived);
  });

  it('an endpoint that hangs: RPCs are answered at once, even the first, and the scaler ends', async (test) => {
    const scene = await SqsScene.start(test, sqs(), {
      connection: { requestTimeoutMs: 20_000 },
      limits: { coldReadTimeoutMs: 100 },
    });
    const { queues, proxy } = scene;
    const queue = await queues.create();
    proxy.trouble(trouble.hang);
    expect(await scene.ask(queue)).toEqual({ number: 'UNAVAILABLE', active: 'UNAVAILABLE' });
    for (let times = 0; times < 50; times += 1)
      expect(await scene.ask(queue)).toEqual({ number: 'UNAVAILABLE', active: 'UNAVAILABLE' });
    // Only one request is under way, however often KEDA calls.
    expect(proxy.count()).toBe(1);
    await scene.scaler.stop();
  });

  it('new credentials replace expired ones without a restart', async (test) => {
    const { queues } = sqs();
    const credentials = { accessKeyIdFile: 'id', secretAccessKeyFile: 'secret', sessionTokenFile: 'session' };
    const old = { id: 'OLD', secret: 'old', session: 'old-session' };
    const connection = { ...eager, credentials };
    const scene = await SqsScene.start(test, sqs(), { connection, files: old });
    const queue = await queues.create();
    await queues.send(queue, 2);
    scene.proxy.trouble(trouble.expiredToken, { accessKeyId: 'OLD' });
    await scene.becomesUnknown(queue, 'UNAVAILABLE', /expired/i);
    await scene.reload(connection, { id: 'NEW\n', secret: 'new', session: 'new-session' });
    await scene.becomes(queue, { number: 2, active: true });
    expect(scene.proxy.requests.at(-1)?.accessKeyId).toBe('NEW');
  });

  it('a signature for another region is refused, and the message names ours', async (test) => {
    const { queues } = sqs();
    const scene = await SqsScene.start(test, sqs(), { connection: { ...eager, region: 'us-west-2' } });
    const queue = await queues.create();
    scene.proxy.trouble(trouble.wrongRegion, { region: 'us-west-2' });
    await scene.becomesUnknown(queue, 'UNAVAILABLE', /us-west-2/);
    await scene.reload(eager);
    await scene.becomes(queue, { number: 0, active: false });
  });

  it('a server that is gone: UNAVAILABLE, and nothing stays open', async (test) => {
    const scene = await SqsScene.start(test, sqs(), { connection: eager });
    const { queues, proxy } = scene;
    const queue = await queues.create();
    await queues.send(queue, 1);
    await scene.becomes(queue, { number: 1, active: true }, shortLived);
    await proxy.close();
    await scene.becomesUnknown(queue, 'UNAVAILABLE', /ECONNREFUSED|refused|connect/i, shortLived);
    await eventually(() => expect(scene.said()).toMatch(/ECONNREFUSED|refused|connect/i));
  });
});
