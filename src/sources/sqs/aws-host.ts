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
