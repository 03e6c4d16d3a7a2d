import type { BacklogSampler } from '../../backlog-sampler.ts';
import { demoTimings } from '../../pace.ts';
import type { Stage } from '../../stage.ts';
import type { Outcome } from '../../summary.ts';
import { replicasForBurst, scenario } from './scenario.ts';
import type { KafkaTopic } from './topic.ts';

export interface Scene {
  readonly stage: Stage;
  readonly topic: KafkaTopic;
  readonly backlog: BacklogSampler;
}

/** An inactive subject is watched. After steady traffic that takes a pause of 5 s, and a read that notices it. */
const asleepMs = 7_000;

/** Leads the consumer group through the story. Waits for every result, and assumes nothing. */
export async function play(scene: Scene): Promise<Omit<Outcome, 'rpcsAnswered' | 'requestsSent'>> {
  const { stage, topic, backlog } = scene;
  const { observer } = stage;

  stage.phase('asleep', 'nothing to do, 0 replicas; the scaler watches the topic');
  await stage.pause(asleepMs);

  stage.phase(
    'burst',
    `${scenario.burst} records: ${scenario.lagThreshold} a replica make ${replicasForBurst} replicas`,
  );
  const burst = await stage.wake("the record's ack", async () => {
    const ackedAtMs = await topic.append(1);
    await append(scene, (scenario.burst - 1) / scenario.burstLots, scenario.burstLots);
    return ackedAtMs;
  });
  const reachedAfterMs = await stage.reached(replicasForBurst, burst.fromMs);

  stage.phase('work', 'until the backlog is gone');
  await stage.cleared();

  stage.phase('steady', `${scenario.steadyPerSecond} records a second`);
  const perLot = (scenario.steadyPerSecond * scenario.appendEveryMs) / 1000;
  await append(scene, perLot, scenario.steadyMs / scenario.appendEveryMs);

  stage.phase(
    'stop',
    `no more records; to zero ${demoTimings.cooldownPeriodMs / 1000} s after the last activity`,
  );
  const stoppedAtMs = performance.now();
  const firstZero = await stage.untilZero();

  stage.phase('asleep', 'until the topic is watched again');
  await stage.pause(asleepMs - (performance.now() - stoppedAtMs));

  stage.phase('one record', 'the second wake');
  const second = await stage.wake("the record's ack", () => topic.append(1));

  return {
    wakes: [burst, second],
    reachedAfterMs,
    zeroAfterMs: [firstZero, await stage.untilZero()],
    peakBacklog: backlog.peak,
    replicasWanted: replicasForBurst,
    peakReplicas: observer.peakReplicas,
    failedAnswers: observer.failures,
  };
}

/** Appends `count` records, `times` times. */
async function append({ stage, topic, backlog }: Scene, count: number, times: number): Promise<void> {
  for (let done = 0; done < times && !stage.signal.aborted; done++) {
    await stage.pause(scenario.appendEveryMs);
    await topic.append(count);
    backlog.added();
  }
}
