import { z } from 'zod';
import { sqsRegionOf } from '../../aws-endpoints.ts';
import { longestTimerMs } from '../../clock.ts';
import { ignored, secret } from '../ignored-keys.ts';
import type { ConnectionKey } from '../source.ts';
import { isAt, normaliseEndpoint, parseQueueAddress } from './rules/queue.ts';

/*
 * An AWS account and region of the configuration file, after the loader has read its files. For `accessKeyIdFile` this
 * schema sees `accessKeyId`, and the same for the other two.
 */

const text = (doc: string) => z.string().min(1).describe(doc);

const credentials = z.strictObject({
  accessKeyId: text('Its ID.'),
  secretAccessKey: text('Its secret.'),
  sessionToken: text('For temporary credentials.').exactOptional(),
});

const topicArn = /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]+(\.fifo)?$/;

const shape = z.strictObject({
  region: z
    .string()
    .regex(/^[a-z0-9-]+$/, 'must be a region such as eu-central-1')
    .describe('That of the queues.'),
  endpoint: z
    .string()
    .refine(
      (url) => normaliseEndpoint(url) !== undefined,
      'must be a host to send requests to, such as http://localstack:4566, without a path',
    )
    .overwrite((url) => normaliseEndpoint(url) ?? url)
    .exactOptional()
    .describe("A VPC endpoint or emulator in place of AWS's. HTTP is allowed: requests carry no secret."),
  roleArn: z
    .string()
    .regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/, 'must be the ARN of a role')
    .exactOptional()
    .describe('A role to assume.'),
  externalId: text("The external ID of the role's trust policy.").exactOptional(),
  credentials: credentials
    .exactOptional()
    .describe(
      'An access key, in place of the AWS default chain (environment, IRSA, EKS Pod Identity, instance role).',
    ),
  idleReadSeconds: z
    .number()
    .min(1)
    .default(5)
    .describe(
      'How often an idle queue is read: at most half of `maxStalenessSeconds`. [Each read costs](sqs.md#how-often-a-queue-is-read-and-what-it-costs).',
    ),
  activeReadSeconds: z.number().min(1).default(2).describe('The same with an active trigger.'),
  snsTopics: z
    .array(z.string().regex(topicArn, 'must be the ARN of an SNS topic'))
    .min(1)
    .exactOptional()
    .describe('ARNs of SNS topics that may wake its queues.'),
  requestTimeoutMs: z
    .int()
    .min(100)
    .max(longestTimerMs)
    .default(2000)
    .describe('For AWS to connect, and then to answer.'),
  maxSockets: z.int().min(1).max(500).default(32).describe('The most requests in progress.'),
});

export const sqsConfig = shape.refine(
  ({ roleArn, externalId }) => externalId === undefined || roleArn !== undefined,
  { error: 'needs roleArn', path: ['externalId'] },
);

/** Holds secrets: never logged. */
export type SqsConfig = z.output<typeof sqsConfig>;

/** The keys of KEDA's `aws-sqs-queue` trigger that belong to the connection (aws_sqs_queue_scaler.go, v2.21). */
export const sqsConnectionKeys: Readonly<Record<string, ConnectionKey<SqsConfig>>> = {
  queueURL: {
    doc: 'A URL selects the connection by its region or endpoint.',
    selects: true,
    agrees: agreesOnQueue,
  },
  awsRegion: {
    doc: 'Selects the connection.',
    selects: true,
    agrees: ({ region }, value) => region === value,
  },
  awsEndpoint: {
    doc: 'Selects the connection.',
    selects: true,
    agrees: agreesOnEndpoint,
  },
  awsRoleArn: {
    doc: "Must be the connection's, if set.",
    selects: false,
    agrees: ({ roleArn }, value) => roleArn === undefined || roleArn === value,
  },
  identityOwner: ignored,
  awsAccessKeyID: ignored,
  awsSecretAccessKey: secret,
  awsSessionToken: secret,
};

function agreesOnEndpoint({ region, endpoint }: SqsConfig, value: string): boolean {
  const given = normaliseEndpoint(value);
  if (given === undefined || endpoint !== undefined) return given !== undefined && given === endpoint;
  return sqsRegionOf(new URL(given)) === region;
}

/** Faults of the queue itself are reported where the parameter is parsed. */
function agreesOnQueue(config: SqsConfig, value: string): boolean {
  const address = parseQueueAddress(value);
  return typeof address === 'string' || isAt(config, address);
}
