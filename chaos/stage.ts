import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChannelCredentials } from '@grpc/grpc-js';
import { age } from '../fakes/aged-event-log.ts';
import { type NatsCluster, startNats } from '../fakes/nats/cluster.ts';
import { seeded } from '../fakes/random.ts';
import { TcpProxy } from '../fakes/tcp-proxy.ts';
import { goTool } from '../test/support/tools/go.ts';
import { Invariants } from './invariants.ts';
import { Asking } from './keda.ts';
import { ageStream } from './nats-stream.ts';
import { EventsPlace, connection as eventsConnection } from './places/events.ts';
import { GitHubPlace } from './places/github.ts';
import { type KafkaOptions, KafkaPlace } from './places/kafka.ts';
import type { Backlog, Place, Surroundings } from './places/place.ts';
import { SqsPlace } from './places/sqs.ts';
import { Pod } from './pod.ts';
import { Starvation } from './starvation.ts';
import { Traffic } from './traffic.ts';

const token = 'chaos-t0ken-0123456789';
/** The name of the event log in NATS. */
export const stream = 'backlog-scaler';
const askEveryMs = 100;
const firstNumbersLimitMs = 60_000;
/** The time for the last answers to be judged, after the longest bound. */
const settleMs = 2000;
const mostSettleMs = 60_000;

/** What a fault needs on the stage. */
export interface Scene {
  /** Default 1. Ledgers of several pods need `nats`. */
  readonly pods?: 1 | 3;
  readonly nats?: 1 | 3;
  readonly kafka?: KafkaOptions & { readonly topics: number };
  /** Number of queues. */
  readonly sqs?: number;
  /** Number of runner pools. */
  readonly github?: number;
  /** Number of backlogs of work items. */
  readonly events?: number;
  /** Of the work items. Default: a day. */
  readonly ttlSeconds?: number;
  /** Of the triggers of work items. Default: 4. */
  readonly eventStalenessSeconds?: number;
  /** Further settings of the pods. */
  readonly settings?: Readonly<Record<string, object>>;
  /** Modules that each pod loads before the scaler. */
  readonly preload?: readonly string[];
  /** KEDA's certificate and CA. Without them calls are plaintext. */
  readonly credentials?: ChannelCredentials;
  /** How long calls may fail, whatever is broken. */
  readonly failForMs?: number;
}

export interface StageOptions {
  /** The command, built or as source. */
  readonly program: string;
  readonly seed: number;
  /** For files and logs of the pods. */
  readonly directory: string;
  progress(line: string): void;
}

/** Everything real that is available, scalers in processes of their own, and a KEDA that asks all the time. */
export class Stage {
  readonly invariants: Invariants;
  /** In [0, 1), always the same for a seed. */
  readonly random: () => number;
  readonly progress: (line: string) => void;
  readonly token = token;
  private kafka: KafkaPlace | undefined;
  private sqs: SqsPlace | undefined;
  private github: GitHubPlace | undefined;
  private nats: NatsCluster | undefined;
  /** The proxy between each pod and NATS. */
  private natsProxies: readonly TcpProxy[] = [];
  /** The pods that do not reach NATS. Each promise resolves when its pod may. */
  private readonly cutOffs = new Map<Pod, Promise<void>>();
  pods: readonly Pod[] = [];
  backlogs: readonly Backlog[] = [];
  private readonly scene: Scene;
  private readonly options: StageOptions;
  private readonly asking: Asking[] = [];
  private readonly closing: (() => Promise<unknown> | unknown)[] = [];
  private readonly starvation: Starvation;
  private running: Traffic | undefined;
  private turn = 0;
  /** Those that senders reach. */
  private routed: readonly Pod[] = [];

  /** Starts what the scene needs. Resolves when every trigger has its first number. */
  static async set(scene: Scene, options: StageOptions): Promise<Stage> {
    const stage = new Stage(scene, options);
    try {
      await stage.build();
      await stage.open();
    } catch (error) {
      await stage.strike();
      throw error;
    }
    return stage;
  }

  private constructor(scene: Scene, options: StageOptions) {
    this.scene = scene;
    this.options = options;
    this.random = seeded(options.seed);
    this.progress = options.progress;
    this.invariants = new Invariants({
      ...(scene.failForMs === undefined ? {} : { failForMs: scene.failForMs }),
      heard: ({ rule, about, detail }) => options.progress(`${rule}: ${about}: ${detail}`),
    });
    this.starvation = new Starvation({
      pids: () => this.pods.flatMap(({ pid }) => pid ?? []),
      starved: () => this.invariants.starved(performance.now()),
    });
  }

  /** The first pod, or the only one. */
  get pod(): Pod {
    const [pod] = this.pods;
    if (pod === undefined) throw new Error('a stage has a pod');
    return pod;
  }

  get theKafka(): KafkaPlace {
    return there(this.kafka, 'Kafka');
  }

  get theSqs(): SqsPlace {
    return there(this.sqs, 'SQS');
  }

  get theGitHub(): GitHubPlace {
    return there(this.github, 'GitHub');
  }

  get theNats(): NatsCluster {
    return there(this.nats, 'NATS');
  }

  /** Cuts a pod off from NATS, until the result is called: nothing passes, and nothing closes. `index` of the pod. */
  cutOff(index: number): () => void {
    const [pod, proxy] = [this.pods[index], this.natsProxies[index]];
    if (pod === undefined || proxy === undefined) throw new Error(`no pod ${index} can be cut off`);
    let heal = (): void => {};
    const healed = new Promise<void>((resolve) => {
      heal = resolve;
    });
    proxy.become('silent');
    this.cutOffs.set(pod, healed);
    return () => {
      this.cutOffs.delete(pod);
      proxy.become('passing');
      heal();
    };
  }

  /** Does something while senders reach only the pods that `reach` picks by their index. */
  async route(reach: (index: number) => boolean, act: () => Promise<void>): Promise<void> {
    this.routed = this.pods.filter((_, index) => reach(index));
    try {
      await act();
    } finally {
      this.routed = this.pods;
    }
  }

  /** The traffic. Backlogs grow and are emptied from the first use on. */
  get traffic(): Traffic {
    this.running ??= new Traffic(this.backlogs, this.random);
    return this.running;
  }

  /** The directory of the run's files. */
  get directory(): string {
    return this.options.directory;
  }

  /** How long the machine was too busy to judge anything. */
  get starvedSeconds(): number {
    return this.starvation.seconds;
  }

  /** Lets a KEDA ask for another trigger, until the result is stopped. */
  ask(backlog: Backlog): Asking {
    const { credentials } = this.scene;
    const address = `ipv4:${this.pods.map(({ grpcPort }) => `127.0.0.1:${grpcPort}`).join(',')}`;
    const { subject, reference } = backlog;
    const { invariants } = this;
    const options = { address, reference, subject: subject.name, invariants, everyMs: askEveryMs };
    return new Asking({ ...options, ...(credentials && { credentials }) });
  }

  /** Ends the traffic, and judges the answers once they have settled. */
  async finish(): Promise<void> {
    await this.running?.stop();
    const longestMs = Math.max(...this.backlogs.map(({ subject }) => subject.boundMs));
    const stoppedMs = performance.now();
    // If the machine was too busy, everything gets its time again, but not forever.
    while (performance.now() - Math.max(stoppedMs, this.starvation.lastStarvedMs) < longestMs + settleMs) {
      if (performance.now() - stoppedMs > mostSettleMs) break;
      await sleep(200);
    }
    this.invariants.finish(performance.now());
  }

  /** Ends everything. */
  async strike(): Promise<void> {
    this.starvation.stop();
    await Promise.all(this.asking.map((one) => one.stop()));
    for (const close of this.closing.toReversed()) await close();
  }

  private async build(): Promise<void> {
    const { scene } = this;
    const ingest = await TcpProxy.start(() => this.nextPod().ingestPort);
    this.closing.push(() => ingest.close());
    const surroundings: Surroundings = {
      tell: (subject, truth) => this.invariants.truth(subject, performance.now(), truth),
      ingestUrl: `http://127.0.0.1:${ingest.port}`,
      nextIngest: () => {
        const pod = this.nextPod();
        const heard = () => this.cutOffs.get(pod);
        return { url: `http://127.0.0.1:${pod.ingestPort}`, heard };
      },
      token,
    };
    if (scene.nats !== undefined) await this.startNats(scene.nats);
    const places: (readonly [Place, number])[] = [];
    const add = <P extends Place>(place: P, count: number): P => {
      places.push([place, count]);
      this.closing.push(() => place.close());
      return place;
    };
    if (scene.kafka !== undefined) {
      this.progress('starting Kafka');
      this.kafka = add(await KafkaPlace.start(scene.kafka, surroundings), scene.kafka.topics);
    }
    if (scene.sqs !== undefined) this.sqs = add(await SqsPlace.start(surroundings), scene.sqs);
    if (scene.github !== undefined) this.github = add(await GitHubPlace.start(surroundings), scene.github);
    if (scene.events !== undefined) add(new EventsPlace(surroundings, eventsOptions(scene)), scene.events);
    await this.preparePods(places.map(([place]) => place));
    const made = await Promise.all(places.map(([place, count]) => place.make(count)));
    this.backlogs = made.flat();
  }

  private async startNats(nodes: 1 | 3): Promise<void> {
    this.progress('starting NATS');
    const cluster = await startNats({ program: await goTool('nats-server'), nodes });
    this.nats = cluster;
    this.closing.push(() => cluster.stop());
    if (nodes > 1) return;
    const port = Number(new URL(cluster.urls[0] ?? '').port);
    const pods = Array.from({ length: this.scene.pods ?? 1 });
    this.natsProxies = await Promise.all(pods.map(() => TcpProxy.start(() => port)));
    for (const proxy of this.natsProxies) this.closing.push(() => proxy.close());
  }

  private async preparePods(places: readonly Place[]): Promise<void> {
    const { scene, options } = this;
    const pods: Pod[] = [];
    for (let index = 0; index < (scene.pods ?? 1); index++) {
      const name = `pod-${index}`;
      const onEnd = (how: string) => this.invariants.ended(name, performance.now(), how);
      const { preload = [] } = scene;
      const pod = await Pod.prepare({
        program: options.program,
        name,
        directory: options.directory,
        preload,
        onEnd,
      });
      const connections: Record<string, object> = {};
      for (const place of places) Object.assign(connections, await place.connections(pod.directory));
      const ingest = { tokens: [{ name: 'chaos', token, connections: Object.keys(connections) }] };
      await pod.configure({
        security: { allowPlaintextSecrets: true },
        limits: { firstSyncTimeoutSeconds: 10 },
        eventLog: await this.eventLog(pod, index),
        ...scene.settings,
        ingest,
        connections,
      });
      this.closing.push(() => pod.stop());
      pods.push(pod);
    }
    this.pods = pods;
    this.routed = pods;
  }

  private async eventLog(pod: Pod, index: number): Promise<object> {
    if (this.nats !== undefined) {
      const proxy = this.natsProxies[index];
      const servers = proxy === undefined ? this.nats.urls : [`nats://127.0.0.1:${proxy.port}`];
      return { type: 'nats', servers, stream, replicas: this.nats.servers.length };
    }
    if (this.scene.events === undefined) return { type: 'memory' };
    await age(join(pod.directory, 'events'), [eventsConnection]);
    return { type: 'file', dir: 'events' };
  }

  /** Senders reach the running pods in turn, as behind a Service. */
  private nextPod(): Pod {
    const running = this.routed.filter((pod) => pod.running);
    return running[this.turn++ % Math.max(1, running.length)] ?? this.pod;
  }

  private async open(): Promise<void> {
    const { invariants } = this;
    if (this.nats !== undefined) {
      await this.pod.start();
      await this.pod.stop();
      await ageStream(this.nats.urls, stream);
    }
    await Promise.all(this.pods.map((pod) => pod.start()));
    for (const { subject } of this.backlogs) invariants.add(subject, performance.now());
    this.asking.push(...this.backlogs.map((backlog) => this.ask(backlog)));
    const deadline = performance.now() + firstNumbersLimitMs;
    while (invariants.withoutNumber.length > 0) {
      if (performance.now() > deadline)
        throw new Error(`there is no first number of ${invariants.withoutNumber.join(', ')}`);
      await sleep(100);
    }
    invariants.healed(performance.now());
  }
}

function eventsOptions({ ttlSeconds = 86_400, eventStalenessSeconds = 4 }: Scene) {
  return { ttlSeconds, maxStalenessSeconds: eventStalenessSeconds };
}

function there<P>(place: P | undefined, what: string): P {
  if (place === undefined) throw new Error(`the scene has no ${what}`);
  return place;
}
