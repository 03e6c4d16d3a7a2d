import type { BacklogSampler } from '../../backlog-sampler.ts';
import { demoTimings } from '../../pace.ts';
import type { Stage } from '../../stage.ts';
import { duration, type Outcome, type Promised } from '../../summary.ts';
import type { Repository } from './repository.ts';
import { scenario } from './scenario.ts';

export interface Scene {
  readonly stage: Stage;
  readonly repository: Repository;
  readonly backlog: BacklogSampler;
}

export interface Told {
  readonly outcome: Omit<Outcome, 'rpcsAnswered' | 'requestsSent'>;
  readonly further: readonly Promised[];
}

const posted = 'its webhook was posted';

/** Leads the runners through the story. Waits for every result, and assumes nothing. */
export async function play(scene: Scene): Promise<Told> {
  const { stage, repository, backlog } = scene;
  const { observer } = stage;
  const { jobs, label } = scenario;

  stage.phase('asleep', 'nothing to do, 0 runners; the scaler waits for webhooks');
  await stage.pause(scenario.asleepMs);

  stage.phase('burst', `a push starts ${jobs} jobs for [self-hosted, ${label}]: signed webhooks over HTTP`);
  const burst = await stage.wake(posted, () => repository.push(jobs));
  const reachedAfterMs = await stage.reached(jobs, burst.fromMs);

  stage.phase('work', 'the jobs begin together, when each has a runner');
  await stage.cleared();

  stage.phase(
    'stop',
    `no more jobs; to zero ${demoTimings.cooldownPeriodMs / 1000} s after the last activity`,
  );
  const firstZero = await stage.untilZero();

  stage.phase('one job', 'the second wake');
  const second = await stage.wake(posted, () => repository.push(1));
  const secondZero = await stage.untilZero();

  stage.phase('lost', "a job whose webhooks never arrive: found by reading the repository's runs");
  const lost = await stage.wake('it was queued', () => repository.pushUnheard());
  const thirdZero = await stage.untilZero();

  return {
    outcome: {
      wakes: [burst, second],
      reachedAfterMs,
      zeroAfterMs: [firstZero, secondZero, thirdZero],
      peakBacklog: backlog.peak,
      replicasWanted: jobs,
      peakReplicas: observer.peakReplicas,
      failedAnswers: observer.failures,
    },
    further: [
      {
        kept: lost.toldAfterMs !== undefined,
        text: `webhooks lost: true on the stream ${duration(lost.toldAfterMs)} after the job was queued`,
      },
    ],
  };
}
