import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { poll } from './keda-pace.ts';

/*
 * The requests of KEDA's built-in `aws-sqs-queue` trigger (pkg/scalers/aws_sqs_queue_scaler.go, v2.21): a client for
 * each ScaledObject, and one GetQueueAttributes for each evaluation. A program of its own.
 */

process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
const [endpoint = '', queues = '0', scaledObjects = '0'] = process.argv.slice(2);

/** The state that KEDA keeps for a ScaledObject. */
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

const clients = Array.from(
  { length: Number(scaledObjects) },
  (_, index) => new Client(`queue-${index % Number(queues)}`),
);
await poll(clients);
