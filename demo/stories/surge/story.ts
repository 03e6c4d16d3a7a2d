import { setTimeout as sleep } from 'node:timers/promises';
import { missingSqs } from '../../../fakes/sqs/embedded-sqs.ts';
import type { Story, Telling } from '../../story.ts';
import { duration, type Summary, summaryOf } from '../../summary.ts';
import { scenario as sqsScenario } from '../sqs/scenario.ts';
import { setUp } from '../sqs/setting.ts';
import { judge } from './judge.ts';
import { Lane } from './lane.ts';
import { picture } from './picture.ts';
import { burst, replicasForBurst, scenario } from './scenario.ts';

/** The clock alone takes a minute. Anything later will never come. */
const limitMs = 90_000;

/** A burst, and two workloads for it: one is nudged, the other is not. Nobody works, so the burst stays. */
export const surgeStory: Story = {
  name: 'surge',
  speed: 1,
  fullBar: burst,
  missing: () => missingSqs(),
  tell,
};

async function tell(telling: Telling): Promise<Summary> {
  const { screen, interrupted, ending, meanwhile } = telling;
  const signal = AbortSignal.any([interrupted, AbortSignal.timeout(limitMs)]);
  const pause = (ms: number) => sleep(ms, undefined, { signal }).catch(() => {});
  const { queue, scaler, hints } = await setUp(telling);
  const lane = (name: string, metadata: Readonly<Record<string, string>>): Lane => {
    const say = (line: string): void => screen.event(line);
    const one = new Lane({ name, address: scaler.address, queue: sqsScenario.queue, metadata, say });
    ending.push(() => one.stop());
    one.start();
    return one;
  };
  const nudged = lane('with nudges', {});
  const plain = lane('without', { surge: 'false' });
  const arrived = async ({ observer }: Lane, sinceMs: number): Promise<number | undefined> => {
    let atMs: number | undefined;
    while (atMs === undefined && !signal.aborted) {
      await pause(20);
      atMs = observer.reachedSince(sinceMs, replicasForBurst);
    }
    return atMs;
  };

  screen.event(
    '── asleep: two workloads for one queue, each with a KEDA and an HPA of its own; for one, surge is off',
  );
  await pause(scenario.asleepMs);
  screen.event(
    `── burst: ${burst} orders, and then a hint: ${scenario.queueLength} a replica make ${replicasForBurst} replicas`,
  );
  for (let sent = 0; sent < scenario.batches; sent++) await queue.send(scenario.perBatch);
  const postedAtMs = await hints.post();
  const reachedAtMs = await arrived(nudged, postedAtMs);
  screen.event(
    `${nudged.name}: ${nudged.replicas} replicas ${duration(since(postedAtMs, reachedAtMs))} after the hint; ${plain.name}: ${plain.replicas}, and the HPA's clock goes on`,
  );
  meanwhile();
  await arrived(plain, postedAtMs);
  await pause(scenario.afterMs);

  const runs = [nudged.run(postedAtMs), plain.run(postedAtMs)] as const;
  const seconds = (performance.now() - postedAtMs) / 1000;
  const promises = judge(...runs, { replicas: replicasForBurst, perReplica: scenario.queueLength });
  return summaryOf(promises, [
    '',
    ...picture(runs, { most: replicasForBurst, seconds, markEverySeconds: 15 }),
  ]);
}

function since(fromMs: number, atMs: number | undefined): number | undefined {
  return atMs === undefined ? undefined : atMs - fromMs;
}
