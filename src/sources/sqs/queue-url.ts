import { quote } from '../../printable.ts';
import { type AwsHost, awsHost } from './endpoint.ts';

/** What a trigger's `queueURL` names. */
export interface QueueAddress {
  readonly name: string;
  /** The AWS account, or what an emulator has in its place; undefined: the connection's own. */
  readonly account: string | undefined;
  /** `https://host[:port]`; undefined where only a name or a path was given. */
  readonly origin: string | undefined;
  /** Where the host is one of AWS's for SQS. */
  readonly aws: AwsHost | undefined;
}

/** SQS: at most 80 letters, digits, `-` and `_`, of which a FIFO queue's last are `.fifo`. */
const queueName = /^(?=.{1,80}$)[A-Za-z0-9_-]+(\.fifo)?$/;
const account = /^[A-Za-z0-9_-]{1,64}$/;
const wanted = 'must be the URL of a queue, /account/name, or its name';

/**
 * Reads KEDA's three spellings (pkg/scalers/aws_sqs_queue_scaler.go, v2.21): a queue's URL, `/account/name`, or
 * its bare name. A URL's path must have exactly two parts. The result is the fault where it is none of these.
 */
export function parseQueueAddress(text: string): QueueAddress | string {
  if (queueName.test(text)) return { name: text, account: undefined, origin: undefined, aws: undefined };
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
  return { name, account: owner, origin: url?.origin, aws: url && awsHost(url) };
}

function twoParts(text: string): string {
  return `${wanted}: its path must be /account/name, got ${quote(text)}`;
}
