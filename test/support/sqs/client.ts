import { SQSClient } from '@aws-sdk/client-sqs';
import { region } from './region.ts';
import type { Test } from './use-sqs.ts';

/** The ordinary SDK for one endpoint and one test. It does not retry. */
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
