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
    queueURL: queue(
      "The queue: its URL, `/account/name`, or its name in the account of the connection. A URL must be one of the connection's region and endpoint, and picks the connection where there are several.",
    ),
    queueLength: decimal({ doc: 'How many messages one replica is good for.', fallback: 5, above: 0 }),
    activationQueueLength: decimal({
      doc: 'The workload leaves zero when the messages are more than this.',
      fallback: 0,
      least: 0,
    }),
    scaleOnInFlight: flag({
      doc: 'Whether messages that a consumer has received and not yet deleted count. They keep a workload active, but do not wake one.',
      fallback: true,
    }),
    scaleOnDelayed: flag({ doc: 'Whether messages that cannot be received yet (delayed) count.' }),
    maxConcurrency: optionalDecimal({
      doc: 'The most replicas that can have work at a time. For a FIFO queue: how many message groups there are at most, since a group whose message is in flight waits.',
      least: 1,
    }),
  },
  rules: [],
};
