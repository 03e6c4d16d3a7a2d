import { credential, ignored, secret } from '../ignored-keys.ts';
import type { ConnectionKey } from '../source.ts';
import type { SqsConfig } from './config.ts';
import { awsHost, isAt, normaliseEndpoint } from './endpoint.ts';
import { parseQueueAddress } from './queue-url.ts';

function agreesOnEndpoint({ region, endpoint }: SqsConfig, value: string): boolean {
  const given = normaliseEndpoint(value);
  if (given === undefined || endpoint !== undefined) return given !== undefined && given === endpoint;
  return awsHost(new URL(given))?.region === region;
}

/** What is wrong with a queue of its own is said where it is read as a parameter. */
function agreesOnQueue(config: SqsConfig, value: string): boolean {
  const address = parseQueueAddress(value);
  return typeof address === 'string' || isAt(config, address);
}

/** The keys of KEDA's `aws-sqs-queue` trigger that belong to the connection (aws_sqs_queue_scaler.go, v2.21). */
export const sqsConnectionKeys: Readonly<Record<string, ConnectionKey<SqsConfig>>> = {
  queueURL: {
    doc: 'Where it is a URL, its host picks the connection of that region or endpoint.',
    selects: true,
    agrees: agreesOnQueue,
  },
  awsRegion: {
    doc: 'Picks the connection of this region.',
    selects: true,
    agrees: ({ region }, value) => region === value,
  },
  awsEndpoint: {
    doc: 'Picks the connection with this endpoint.',
    selects: true,
    agrees: agreesOnEndpoint,
  },
  awsRoleArn: {
    doc: "Must be the connection's role, where it has one.",
    selects: false,
    agrees: ({ roleArn }, value) => roleArn === undefined || roleArn === value,
  },
  identityOwner: ignored('Who we are belongs to the connection; ignored.'),
  awsAccessKeyID: credential,
  awsSecretAccessKey: secret,
  awsSessionToken: secret,
};
