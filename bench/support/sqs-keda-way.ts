import { setTimeout as sleep } from 'node:timers/promises';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';

/*
 * The requests of KEDA's built-in `aws-sqs-queue` trigger (pkg/scalers/aws_sqs_queue_scaler.go, v2.21): a client for
 * each ScaledObject, and one GetQueueAttributes for each evaluation. A program of its own.
 */

process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
const [endpoint = '', queues = '0', scaledObjects = '0'] = process.argv.slice(2);

/** What KEDA keeps for one ScaledObject. */
class Client {
  private readonly sdk = new SQSClient({
    endpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'keda', secretAccessKey: 'keda' },
  });
  private readonly command: GetQueueAttributesCommand;

  constructor(queue: string) {
    this.command = new GetQueueAttributesCommand({
      QueueUrl: `${endpoint}/123456789012/${queue}`,
      AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    });
  }

  async evaluate(): Promise<void> {
    await this.sdk.send(this.command);
  }
}

let evaluationsAMinute = 2;
process.on('message', (told: { evaluationsAMinute: number }) => {
  evaluationsAMinute = told.evaluationsAMinute;
});

const clients = Array.from(
  { length: Number(scaledObjects) },
  (_, index) => new Client(`queue-${index % Number(queues)}`),
);
process.stdout.write('polling\n');

// Polls of different ScaledObjects are independent of each other, so they spread over the minute.
let owed = 0;
let next = 0;
for (let beforeMs = performance.now(); ; ) {
  await sleep(5);
  const nowMs = performance.now();
  owed += ((nowMs - beforeMs) / 60_000) * evaluationsAMinute * clients.length;
  beforeMs = nowMs;
  for (; owed >= 1; owed--) void clients[next++ % clients.length]?.evaluate();
}
