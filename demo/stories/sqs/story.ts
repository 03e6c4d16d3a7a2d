import { missingSqs } from '../../../fakes/sqs/embedded-sqs.ts';
import { BacklogSampler } from '../../backlog-sampler.ts';
import { demoSpeed } from '../../pace.ts';
import { Stage } from '../../stage.ts';
import type { Story, Telling } from '../../story.ts';
import { type Summary, summarize, type Words } from '../../summary.ts';
import { Workers } from '../../workers.ts';
import { play } from './plot.ts';
import { burst, scenario } from './scenario.ts';
import { setUp } from './setting.ts';

const words: Words = { waker: 'the hint', counted: 'it was posted', upstream: 'SQS' };

/** An SQS in this process, and as many workers as KEDA wants. */
export const sqsStory: Story = {
  name: 'sqs',
  speed: demoSpeed,
  fullBar: burst,
  missing: () => missingSqs(),
  tell,
};

async function tell(telling: Telling): Promise<Summary> {
  const { ending } = telling;
  const { queue, scaler, hints } = await setUp(telling);
  const workload = new Workers(queue, 'worker');
  ending.push(() => workload.close());
  const backlog = new BacklogSampler(() => queue.open());
  ending.push(() => backlog.close());
  const reference = {
    namespace: 'demo',
    name: 'order-workers',
    scalerMetadata: {
      source: 'sqs',
      queueURL: scenario.queue,
      queueLength: String(scenario.queueLength),
    },
  };
  const { address } = scaler;
  const { maxReplicaCount } = scenario;
  const stage = new Stage({ address, reference, workload, backlog, maxReplicaCount }, telling);
  const { outcome, further } = await play({ stage, queue, hints, backlog });
  const [rpcsAnswered, requestsSent] = await Promise.all([scaler.rpcsAnswered(), scaler.requestsSent()]);
  return summarize({ ...outcome, rpcsAnswered, requestsSent }, words, further);
}
