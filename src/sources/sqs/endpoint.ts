import { withoutFinalDot } from '../../server-name.ts';
import type { SqsConfig } from './config.ts';
import type { QueueAddress } from './queue-url.ts';

/** `HTTP://LocalStack:4566/` → `http://localstack:4566`, so that equal endpoints are equal texts; undefined: none. */
export function normaliseEndpoint(text: string): string | undefined {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const { username, password, pathname, search, hash, origin } = new URL(withoutFinalDot(text));
  return username + password + search + hash === '' && pathname === '/' ? origin : undefined;
}

/** An endpoint of AWS for SQS, by its host. */
export interface AwsHost {
  readonly region: string;
}

const region = '([a-z]{2}(?:-[a-z]+)+-\\d+)';
const suffix = 'amazonaws\\.com(?:\\.cn)?';

/*
 * Regional (also FIPS), dual stack, interface VPC endpoints, and the legacy ones of before 2012 that old queue
 * URLs still have (Amazon SQS endpoints and quotas, AWS General Reference).
 */
const hosts = [
  new RegExp(`^sqs(?:-fips)?\\.${region}\\.${suffix}$`),
  new RegExp(`^sqs(?:-fips)?\\.${region}\\.api\\.(?:aws|amazonwebservices\\.com\\.cn)$`),
  new RegExp(`^(?:[a-z0-9-]+\\.)?vpce-[a-z0-9-]+\\.sqs\\.${region}\\.vpce\\.${suffix}$`),
  new RegExp(`^${region}\\.queue\\.${suffix}$`),
];

/** Undefined: not AWS's, or not over HTTPS on its own port. */
export function awsHost({ protocol, port, hostname }: URL): AwsHost | undefined {
  if (protocol !== 'https:' || port !== '') return undefined;
  if (hostname === 'queue.amazonaws.com') return { region: 'us-east-1' };
  for (const host of hosts) {
    const found = host.exec(hostname)?.[1];
    if (found !== undefined) return { region: found };
  }
  return undefined;
}

/** Where AWS serves SQS in this region. */
export function awsOrigin(region: string): string {
  return `https://sqs.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
}

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
