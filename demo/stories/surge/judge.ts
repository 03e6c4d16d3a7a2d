import type { Scaling } from '../../../fakes/keda/mini-keda.ts';
import { duration, type Promised } from '../../summary.ts';

/** The course of a workload. */
export interface Run {
  readonly name: string;
  readonly steps: readonly Step[];
  /** The targets of its HPA after the first. */
  readonly targets: readonly number[];
  /** At the end. */
  readonly replicas: number;
  /** Answers that KEDA did not get, after its one retry. */
  readonly failedAnswers: number;
}

export interface Step {
  /** Since the hint was sent. */
  readonly afterMs: number;
  readonly replicas: number;
  readonly by: Scaling;
}

/** The goal of both workloads. */
export interface Wanted {
  readonly replicas: number;
  /** The exact target. */
  readonly perReplica: number;
}

/** The promises, each with its measured value. Pure. */
export function judge(nudged: Run, plain: Run, { replicas, perReplica }: Wanted): Promised[] {
  const runs = [nudged, plain];
  const first = runs.map(({ steps, name }) => `${duration(reached(steps, 1))} ${name}`);
  const stays = runs.every((run) => run.replicas === replicas && run.steps.at(-1)?.replicas === replicas);
  const ticks = plain.steps.filter(({ by }) => by === 'hpa clock').length;
  const failed = nudged.failedAnswers + plain.failedAnswers;
  return [
    {
      kept: runs.every(({ steps }) => steps[0]?.by === 'push'),
      text: `0 → 1 replicas after the hint was posted: ${first.join(', ')}`,
    },
    {
      kept: by(nudged, 'hpa change', replicas),
      text: `${nudged.name}: ${replicas} replicas after ${duration(reached(nudged.steps, replicas))}, with no tick of the HPA's clock`,
    },
    {
      kept: by(plain, 'hpa clock', replicas),
      text: `${plain.name}: ${replicas} replicas after ${duration(reached(plain.steps, replicas))}, by ${ticks} ticks of it`,
    },
    { kept: stays, text: `both stay at ${runs.map((run) => run.replicas).join(' and ')} replicas` },
    {
      kept: nudged.targets.at(-1) === perReplica && plain.targets.length === 0,
      text: `KEDA rewrote the HPA ${nudged.targets.length} times, the last time with the exact target`,
    },
    { kept: failed === 0, text: `${failed} answers failed` },
  ];
}

/** Whether it reached this many, and set all after the first replica in this way. */
function by({ steps }: Run, way: Scaling, replicas: number): boolean {
  return reached(steps, replicas) !== undefined && steps.slice(1).every((step) => step.by === way);
}

function reached(steps: readonly Step[], replicas: number): number | undefined {
  return steps.find((step) => step.replicas >= replicas)?.afterMs;
}
