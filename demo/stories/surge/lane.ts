import { defaultTimings, MiniKeda, type Workload } from '../../../fakes/keda/mini-keda.ts';
import { Observer } from '../../observer.ts';
import { eventText } from '../../pace.ts';
import type { Run } from './judge.ts';
import { scenario } from './scenario.ts';

export interface LaneOptions {
  readonly name: string;
  /** The address of the scaler's gRPC service. */
  readonly address: string;
  readonly queue: string;
  /** Further keys of its trigger. */
  readonly metadata: Readonly<Record<string, string>>;
  say(line: string): void;
}

/** A workload that is only a number of replicas, with its own KEDA and HPA. Their clocks run at the real speed. */
export class Lane implements Workload {
  readonly name: string;
  readonly observer = new Observer();
  replicas = 0;
  private readonly keda: MiniKeda;

  constructor({ name, address, queue, metadata, say }: LaneOptions) {
    this.name = name;
    this.keda = new MiniKeda({
      address,
      reference: {
        namespace: 'demo',
        name: name.replaceAll(' ', '-'),
        scalerMetadata: {
          source: 'sqs',
          queueURL: queue,
          queueLength: String(scenario.queueLength),
          ...metadata,
        },
      },
      workload: this,
      timings: defaultTimings,
      maxReplicaCount: scenario.maxReplicaCount,
      onEvent: (event) => {
        this.observer.take(event);
        const text = eventText(event);
        if (text !== undefined) say(`${name}: ${text}`);
      },
    });
  }

  start(): void {
    this.keda.start();
  }

  scale(replicas: number): void {
    this.replicas = replicas;
  }

  /** Its course since then. */
  run(sinceMs: number): Run {
    const { name, observer, replicas } = this;
    const { scalings, targets, failures } = observer;
    const steps = scalings.map(({ atMs, to, by }) => ({ afterMs: atMs - sinceMs, replicas: to, by }));
    return { name, steps, targets, replicas, failedAnswers: failures };
  }

  stop(): Promise<void> {
    return this.keda.stop();
  }
}
