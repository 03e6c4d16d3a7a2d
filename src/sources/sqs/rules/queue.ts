import { regionalHost, sqsRegionOf } from '../../../aws-endpoints.ts';
import { quote } from '../../../printable.ts';
import { withoutFinalDot } from '../../../server-name.ts';
import type { SqsConfig } from '../config.ts';

/** What a trigger's `queueURL` names. */
export interface QueueAddress {
  readonly name: string;
  /** The AWS account, or an emulator's substitute. Undefined: the connection's own. */
  readonly account: string | undefined;
  /** `https://host[:port]`; undefined where only a name or a path was given. */
  readonly origin: string | undefined;
  /** The region, where the host is one of AWS's for SQS. */
  readonly region: string | undefined;
}

/** SQS: at most 80 letters, digits, `-` and `_`, of which a FIFO queue's last are `.fifo`. */
const queueName = /^(?=.{1,80}$)[A-Za-z0-9_-]+(\.fifo)?$/;
const account = /^[A-Za-z0-9_-]{1,64}$/;
const wanted = 'must be the URL of a queue, /account/name, or its name';

/**
 * Reads KEDA's three spellings (pkg/scalers/aws_sqs_queue_scaler.go, v2.21): a queue's URL, `/account/name`, or
 * its bare name. The path of a URL must have exactly two parts. Anything else is a fault.
 */
export function parseQueueAddress(text: string): QueueAddress | string {
  if (queueName.test(text)) return { name: text, account: undefined, origin: undefined, region: undefined };
  if (text.startsWith('/')) return withPath(text, text, undefined) ?? twoParts(text);
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return `${wanted}, got ${quote(text)}`;
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return 'must be a URL without a user name or password';
  if (url.search !== '' || url.hash !== '')
    return `must be a URL that ends with its path, got ${quote(text)}`;
  return withPath(url.pathname, text, url) ?? twoParts(text);
}

function withPath(path: string, text: string, url: URL | undefined): QueueAddress | string | undefined {
  const [before, owner = '', name = '', ...more] = path.split('/');
  if (before !== '' || more.length > 0 || !account.test(owner) || name === '') return undefined;
  if (!queueName.test(name)) return `${quote(text)} ends with what cannot be the name of a queue`;
  return { name, account: owner, origin: url?.origin, region: url && sqsRegionOf(url) };
}

function twoParts(text: string): string {
  return `${wanted}: its path must be /account/name, got ${quote(text)}`;
}

/** `HTTP://LocalStack:4566/` → `http://localstack:4566`, so that equal endpoints are equal texts. Undefined if it is no endpoint. */
export function normaliseEndpoint(text: string): string | undefined {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const { username, password, pathname, search, hash, origin } = new URL(withoutFinalDot(text));
  return username + password + search + hash === '' && pathname === '/' ? origin : undefined;
}

type Place = Pick<SqsConfig, 'region' | 'endpoint'>;

/** Where requests of a connection go. */
export function endpointOf({ region, endpoint }: Place): string {
  return endpoint ?? `https://${regionalHost('sqs', region)}`;
}

/** Whether AWS itself answers there, and not an emulator. */
export function isAws({ endpoint }: Pick<Place, 'endpoint'>): boolean {
  return endpoint === undefined || sqsRegionOf(new URL(endpoint)) !== undefined;
}

/**
 * Whether a queue is one of the connection's. The AWS SDK can send signed requests to any host of a queue URL.
 * Ours go only to the endpoint. A URL of another host is refused before anything is sent.
 */
export function isAt(place: Partial<Place>, { origin, region }: QueueAddress): boolean {
  if (origin === undefined || origin === place.endpoint) return true;
  // Behind a VPC endpoint, queues keep the URLs that AWS gives them.
  return isAws(place) && region === place.region;
}

/** The URL that a queue has on this connection, in one spelling. */
export function urlOf(place: Place, { account, name }: { account: string; name: string }): string {
  const origin = isAws(place) ? endpointOf({ region: place.region }) : endpointOf(place);
  return `${origin}/${account}/${name}`;
}

/** The account of a role. */
export function accountOf(roleArn: string | undefined): string | undefined {
  return roleArn?.split(':')[4];
}
