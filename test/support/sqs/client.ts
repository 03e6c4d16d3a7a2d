import { SQSClient } from '@aws-sdk/client-sqs';
import { region } from './region.ts';
import type { Test } from './use-sqs.ts';

/** The SDK as any program has it, against one endpoint, for one test; it does not try again by itself. */
export function sdkClient({ onTestFinished }: Test, endpoint: string): SQSClient {
  const credentials = { accessKeyId: 'reader', secretAccessKey: 'reader' };
  const client = new SQSClient({
    endpoint,
    region,
    credentials,
    maxAttempts: 1,
    useQueueUrlAsEndpoint: false,
  });
  onTestFinished(() => client.destroy());
  return client;
}
