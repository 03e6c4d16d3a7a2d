import { startKafka } from '../../../fakes/kafka/cluster.ts';
import { findDistribution } from '../../../fakes/kafka/distribution.ts';
import { ScalerError } from '../../../src/errors.ts';
import { BacklogSampler } from '../../backlog-sampler.ts';
import { startScaler } from '../../in-process-scaler.ts';
import { demoSpeed } from '../../pace.ts';
import { Stage } from '../../stage.ts';
import type { Story, Telling } from '../../story.ts';
import { type Summary, summarize, type Words } from '../../summary.ts';
import { ConsumerGroup } from './consumer-group.ts';
import { play } from './plot.ts';
import { scenario } from './scenario.ts';
import { KafkaTopic } from './topic.ts';

export const words: Words = { waker: 'the record', counted: 'its ack', upstream: 'Kafka' };

/** A real broker, and a consumer group with a member for each of KEDA's replicas. */
export const kafkaStory: Story = {
  name: 'kafka',
  speed: demoSpeed,
  fullBar: scenario.burst,
  missing: async (progress) => {
    try {
      await findDistribution(progress);
      return undefined;
    } catch (reason) {
      return ScalerError.from(reason).message;
    }
  },
  tell,
};

async function tell(telling: Telling): Promise<Summary> {
  const { screen, ending } = telling;
  screen.event('Starting a Kafka broker …');
  const kafka = await startKafka({ progress: (line) => screen.event(line) });
  ending.push(() => kafka.stop());
  const bootstrapServers = kafka.bootstrap.plain;
  screen.event(`Kafka is ready on ${bootstrapServers.join(', ')}.`);
  const topic = new KafkaTopic(bootstrapServers, scenario);
  ending.push(() => topic.close());
  await topic.create();
  const connection = { source: 'kafka', bootstrapServers };
  const scaler = await startScaler({ directory: kafka.directory, connection });
  ending.push(() => scaler.stop());
  screen.event(`The scaler listens on ${scaler.address}.`);
  screen.page(scaler.pageUrl);

  const workload = new ConsumerGroup(topic, scenario.recordsPerSecond, (error) =>
    screen.event(`a consumer failed: ${error instanceof Error ? error.message : error}`),
  );
  ending.push(() => workload.close());
  const backlog = new BacklogSampler(() => topic.backlog());
  ending.push(() => backlog.close());
  const reference = {
    namespace: 'demo',
    name: 'order-workers',
    scalerMetadata: {
      source: 'kafka',
      topic: scenario.topic,
      consumerGroup: scenario.groupId,
      lagThreshold: String(scenario.lagThreshold),
    },
  };
  const { address } = scaler;
  const { maxReplicaCount } = scenario;
  const stage = new Stage({ address, reference, workload, backlog, maxReplicaCount }, telling);
  const outcome = await play({ stage, topic, backlog });
  const [rpcsAnswered, requestsSent] = await Promise.all([scaler.rpcsAnswered(), scaler.requestsSent()]);
  return summarize({ ...outcome, rpcsAnswered, requestsSent }, words);
}
