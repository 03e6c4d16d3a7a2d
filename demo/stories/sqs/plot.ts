import type { BacklogSampler } from '../../backlog-sampler.ts';
import { demoTimings } from '../../pace.ts';
import type { Stage } from '../../stage.ts';
import { duration, type Outcome, type Promised } from '../../summary.ts';
import type { Hints } from './hints.ts';
import type { OrderQueue } from './order-queue.ts';
import { burst, replicasForBurst, scenario } from './scenario.ts';

export interface Scene {
  readonly stage: Stage;
  readonly queue: OrderQueue;
  readonly hints: Hints;
  readonly backlog: BacklogSampler;
}

export interface Told {
  readonly outcome: Omit<Outcome, 'rpcsAnswered' | 'requestsSent'>;
  readonly further: readonly Promised[];
}

const cooldown = `to zero ${demoTimings.cooldownPeriodMs / 1000} s after the last activity`;

/** Leads the workers through the story. Waits for every result, and assumes nothing. */
export async function play(scene: Scene): Promise<Told> {
  const { stage, queue, backlog } = scene;
  const { observer } = stage;

  stage.phase('asleep', 'nothing to do, 0 workers; the scaler reads the queue every 5 s');
  await stage.until(() => observer.value);
  await stage.pause(scenario.asleepMs);

  // Before any hint, because for minutes after one a single read is believed.
  stage.phase('no hint', 'one order, and nobody tells: two reads must see it, since SQS has phantoms');
  const unhinted = await stage.wake('the order was sent', () => queue.send(1));
  stage.phase('stop', `no more orders; ${cooldown}`);
  const firstZero = await stage.untilZero();

  stage.phase(
    'burst',
    `${burst} orders, and a hint after each SendMessageBatch: ${scenario.queueLength} a replica make ${replicasForBurst} replicas`,
  );
  const hinted = await stage.wake('the hint was posted', () => sendBurst(scene));
  const reachedAfterMs = await stage.reached(replicasForBurst, hinted.fromMs);

  stage.phase('work', 'until the orders are gone');
  await stage.cleared();
  stage.phase('stop', `no more orders; ${cooldown}`);
  const secondZero = await stage.untilZero();

  return {
    outcome: {
      wakes: [hinted],
      reachedAfterMs,
      zeroAfterMs: [firstZero, secondZero],
      peakBacklog: backlog.peak,
      replicasWanted: replicasForBurst,
      peakReplicas: observer.peakReplicas,
      failedAnswers: observer.failures,
    },
    further: [
      {
        kept: unhinted.toldAfterMs !== undefined,
        text: `without a hint: true on the stream ${duration(unhinted.toldAfterMs)} after the order was sent`,
      },
    ],
  };
}

/** Resolves with the time of the first hint, which is the one to wake the workload. */
async function sendBurst({ stage, queue, hints }: Scene): Promise<number> {
  await queue.send(scenario.perBatch);
  const postedAtMs = await hints.post();
  for (let sent = 1; sent < scenario.batches && !stage.signal.aborted; sent++) {
    await queue.send(scenario.perBatch);
    await hints.post();
  }
  return postedAtMs;
}
