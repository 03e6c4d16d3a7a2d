import type { WriteStream } from 'node:tty';
import { BacklogSampler } from './backlog-sampler.ts';
import { ConsumerGroup } from './consumer-group.ts';
import { startScaler } from './in-process-scaler.ts';
import { startKafka } from './kafka/cluster.ts';
import { KafkaTopic } from './kafka-topic.ts';
import { type KedaEvent, MiniKeda } from './mini-keda.ts';
import { Observer } from './observer.ts';
import { scenario, speed } from './scenario.ts';
import { Screen } from './screen.ts';
import { tell } from './story.ts';
import { summarize } from './summary.ts';
import { defaultTimings } from './timings.ts';

/** The story takes about a minute; what has not come by then does not come. */
const storyLimitMs = 75_000;
const frameMs = 250;

/**
 * A real broker, the scaler, a small KEDA and a workload, from asleep to busy and back. Resolves with whether every
 * promise was kept. Throws ScalerError where the broker or the scaler cannot be started.
 */
export async function runDemo(out: WriteStream, interrupted: AbortSignal): Promise<boolean> {
  const screen = new Screen(out, scenario.burst);
  const ending: (() => unknown)[] = [];
  try {
    screen.event('Starting a Kafka broker …');
    const kafka = await startKafka({ progress: (line) => screen.event(line) });
    ending.push(() => kafka.stop());
    const bootstrapServers = kafka.bootstrap.plain;
    screen.event(`Kafka is ready on ${bootstrapServers.join(', ')}.`);
    const topic = new KafkaTopic(bootstrapServers, scenario);
    ending.push(() => topic.close());
    await topic.create();
    const scaler = await startScaler(kafka.directory, bootstrapServers);
    ending.push(() => scaler.stop());
    screen.event(`The scaler listens on ${scaler.address}.`);
    screen.say(timingsText());
    const outcome = await play({ topic, address: scaler.address, screen, ending, interrupted });
    if (interrupted.aborted) {
      screen.event('Interrupted; stopping the broker …');
      return false;
    }
    const [rpcsAnswered, requestsSent] = await Promise.all([scaler.rpcsAnswered(), scaler.requestsSent()]);
    const summary = summarize({ ...outcome, rpcsAnswered, requestsSent });
    screen.end();
    screen.say(['', ...summary.lines].join('\n'));
    return summary.kept;
  } finally {
    screen.end();
    for (const end of ending.reverse()) await end();
  }
}

interface Setting {
  topic: KafkaTopic;
  address: string;
  screen: Screen;
  ending: (() => unknown)[];
  interrupted: AbortSignal;
}

async function play({ topic, address, screen, ending, interrupted }: Setting) {
  const workload = new ConsumerGroup(topic, scenario.recordsPerSecond, (error) =>
    screen.event(`a consumer failed: ${error instanceof Error ? error.message : error}`),
  );
  ending.push(() => workload.close());
  const observer = new Observer();
  const keda = new MiniKeda({
    address,
    reference: {
      namespace: 'demo',
      name: 'order-workers',
      scalerMetadata: {
        source: 'kafka',
        topic: scenario.topic,
        consumerGroup: scenario.groupId,
        lagThreshold: String(scenario.lagThreshold),
      },
    },
    workload,
    timings: scenario.timings,
    maxReplicaCount: scenario.maxReplicaCount,
    onEvent: (event) => {
      observer.take(event);
      const text = eventText(event);
      if (text !== undefined) screen.event(text);
    },
  });
  keda.start();
  ending.push(() => keda.stop());
  const backlog = new BacklogSampler(topic);
  ending.push(() => backlog.close());
  let phase = '';
  const frames = setInterval(() => {
    const { replicas, running } = workload;
    screen.update({ phase, backlog: backlog.latest, value: observer.value, replicas, running });
  }, frameMs);
  ending.push(() => clearInterval(frames));
  const signal = AbortSignal.any([interrupted, AbortSignal.timeout(storyLimitMs)]);
  const say = (text: string): void => {
    if (!signal.aborted) screen.event(text);
  };
  return await tell({
    topic,
    workload,
    observer,
    backlog,
    phase: (name, what) => {
      phase = name;
      say(`── ${name}: ${what}`);
    },
    say,
    signal,
  });
}

function eventText(event: KedaEvent): string | undefined {
  if (event.kind === 'failed') return `the scaler answered with an error: ${event.message}`;
  if (event.kind === 'pushed') return event.active ? 'the stream says true' : undefined;
  if (event.kind === 'answered') return undefined;
  const who = event.by === 'hpa' ? 'the HPA' : `KEDA (${event.by})`;
  return `${who}: ${event.from} → ${event.to} replicas (${event.because})`;
}

function timingsText(): string {
  const seconds = (ms: number) => `${ms / 1000} s`;
  const { timings } = scenario;
  const row = (name: string, key: keyof typeof timings) =>
    `  ${name.padEnd(30)} ${seconds(timings[key]).padStart(5)}  (default ${seconds(defaultTimings[key])})`;
  return [
    `KEDA and the HPA run ${speed} times faster than by default:`,
    row('pollingInterval', 'pollingIntervalMs'),
    row('cooldownPeriod', 'cooldownPeriodMs'),
    row('HPA sync', 'hpaSyncMs'),
    row('HPA downscale stabilisation', 'downscaleStabilizationMs'),
  ].join('\n');
}
