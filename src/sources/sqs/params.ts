import type { Param, ParamsSchema } from '../../params/schema.ts';
import { decimal, flag, optionalDecimal, ParamFault, required, text } from '../../params/schema.ts';
import { parseQueueAddress, type QueueAddress } from './rules/queue.ts';

/** An SQS trigger's own keys; region, endpoint and credentials belong to the connection. */
export interface SqsParams {
  readonly queueURL: QueueAddress;
  readonly queueLength: number;
  readonly activationQueueLength: number;
  readonly scaleOnInFlight: boolean;
  readonly scaleOnDelayed: boolean;
  readonly maxConcurrency: number | undefined;
}

const nowhere: QueueAddress = { name: '', account: undefined, origin: undefined, region: undefined };

/** Of a queue's name AWS takes 80 (CreateQueue, SQS API); the rest is for the host. */
const mostUrlCharacters = 512;

function queue(doc: string): Param<QueueAddress> {
  return { ...required(text({ doc, most: mostUrlCharacters })), parse: parseQueue, fallback: nowhere };
}

function parseQueue(value: string): QueueAddress {
  const address = parseQueueAddress(value);
  if (typeof address === 'string') throw new ParamFault(address);
  return address;
}

/** Names, defaults and rules of KEDA's `aws-sqs-queue` trigger (pkg/scalers/aws_sqs_queue_scaler.go, v2.21), and one key of ours. */
export const sqsParams: ParamsSchema<SqsParams> = {
  table: {
    queueURL: queue("The queue's URL, `/account/name`, or name in the connection's account."),
    queueLength: decimal({ doc: 'Messages per replica.', fallback: 5, above: 0 }),
    activationQueueLength: decimal({
      doc: 'It leaves zero above this.',
      fallback: 0,
      least: 0,
    }),
    scaleOnInFlight: flag({
      doc: 'Counts messages in flight. They keep a workload active, but wake none.',
      fallback: true,
    }),
    scaleOnDelayed: flag({ doc: 'Counts delayed messages.' }),
    maxConcurrency: optionalDecimal({
      doc: 'The most replicas that can have work. FIFO: the number of message groups.',
      least: 1,
    }),
  },
  rules: [],
};
