import { createRequire } from 'node:module';

/*
 * Where AWS serves its services, by the partition that a region belongs to (`aws`, `aws-cn`, `aws-us-gov`, `aws-eusc`,
 * the isolated ones). The partitions are the AWS SDK's own data; of them and a region's name all hosts are made.
 */

type Sdk = Pick<typeof import('@aws-sdk/core/client'), 'partition'>;
type Service = 'sqs' | 'sns';

let sdk: Sdk | undefined;

/** By CommonJS, at the first use: rules are synchronous, and who uses nothing of AWS does not pay for its SDK. */
function partitionOf(region: string): ReturnType<Sdk['partition']> {
  sdk ??= createRequire(import.meta.url)('@aws-sdk/core/client') as Sdk;
  return sdk.partition(region);
}

/** A service's regional host: `sqs.eu-central-1.amazonaws.com`. A region that the SDK does not know yet is of `aws`. */
export function regionalHost(service: Service, region: string): string {
  return `${service}.${region}.${partitionOf(region).dnsSuffix}`;
}

/** As the partitions have them: `eu-central-1`, `eusc-de-east-1`, `us-isob-east-1`. */
const region = '([a-z]{2,10}(?:-[a-z]{2,12}){1,3}-\\d{1,2})';

/** The shapes of SQS's hosts (Amazon SQS endpoints and quotas, AWS General Reference). What follows is the partition's. */
const shapes: readonly { readonly host: RegExp; readonly dualStack: boolean }[] = [
  { host: new RegExp(`^sqs(?:-fips)?\\.${region}\\.(.+)$`), dualStack: true },
  {
    host: new RegExp(`^(?:[a-z0-9-]+\\.)?vpce-[a-z0-9-]+\\.sqs\\.${region}\\.vpce\\.(.+)$`),
    dualStack: false,
  },
  // Of before 2012; old queue URLs still have them.
  { host: new RegExp(`^${region}\\.queue\\.(.+)$`), dualStack: false },
];

/** The region of an SQS endpoint URL. Undefined if it is not AWS's, or not HTTPS on the default port. */
export function sqsRegionOf({ protocol, port, hostname }: URL): string | undefined {
  if (protocol !== 'https:' || port !== '') return undefined;
  if (hostname === 'queue.amazonaws.com') return 'us-east-1';
  for (const { host, dualStack } of shapes) {
    const [, found, suffix] = host.exec(hostname) ?? [];
    if (found === undefined) continue;
    const { dnsSuffix, dualStackDnsSuffix } = partitionOf(found);
    if (suffix === dnsSuffix || (dualStack && suffix === dualStackDnsSuffix)) return found;
  }
  return undefined;
}
