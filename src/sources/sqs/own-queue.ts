import { awsHost, awsOrigin } from './aws-host.ts';
import type { SqsConfig } from './config.ts';
import type { QueueAddress } from './queue-url.ts';

type Place = Pick<SqsConfig, 'region' | 'endpoint'>;

/**
 * Whether a queue is one of the connection's. The AWS SDK can send signed requests to whatever host a queue URL
 * names; ours go to the endpoint alone, and a URL of anywhere else is refused before anything is sent.
 */
export function isAt({ region, endpoint }: Place, { origin, aws }: QueueAddress): boolean {
  if (origin === undefined || origin === endpoint) return true;
  // Behind a VPC endpoint, queues keep the URLs that AWS gives them.
  const served = endpoint === undefined || awsHost(new URL(endpoint)) !== undefined;
  return served && aws?.region === region;
}

/** The URL that the queue has on this connection, in one spelling; undefined where only its name is known. */
export function urlOf({ region, endpoint }: Place, { account, name }: QueueAddress): string | undefined {
  if (account === undefined) return undefined;
  const emulator = endpoint !== undefined && awsHost(new URL(endpoint)) === undefined;
  return `${emulator ? endpoint : awsOrigin(region)}/${account}/${name}`;
}
