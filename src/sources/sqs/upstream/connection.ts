import pLimit from 'p-limit';
import { ScalerError } from '../../../errors.ts';
import type { Connection, ConnectionDeps, Deliver, Subject, SubjectRef } from '../../source.ts';
import type { SqsConfig } from '../config.ts';
import type { SqsParams } from '../params.ts';
import type { SqsSnapshot } from '../rules/history.ts';
import { accountOf, isAws, parseQueueAddress, urlOf } from '../rules/queue.ts';
import type { SqsClient } from './client.ts';

/** What to read. Equal for all triggers of a subject. */
export interface SqsNeed {
  readonly name: string;
  /** Undefined where it is that of our credentials, which AWS has not told yet. */
  readonly account: string | undefined;
}

type Deps = Pick<ConnectionDeps, 'metrics' | 'same'>;

/** One account and region, with one set of credentials. The AWS SDK is loaded here, and nothing is sent before something is read. */
export function connect(config: SqsConfig, deps: Deps): SqsConnection {
  return new SqsConnection(config, deps);
}

export class SqsConnection implements Connection<SqsParams, SqsSnapshot, SqsNeed> {
  private readonly config: SqsConfig;
  private readonly deps: Deps;
  private readonly client: Promise<SqsClient>;
  private readonly slot: ReturnType<typeof pLimit>;
  /** The account that queues by their bare name are of. */
  private ownAccount: string | undefined;
  /** What SQS begins its queues' URLs with: an emulator may know a queue by that alone. */
  private ownOrigin: string | undefined;

  constructor(config: SqsConfig, deps: Deps) {
    this.config = config;
    this.deps = deps;
    this.client = import('./client.ts').then(({ SqsClient }) => SqsClient.open(config, deps.metrics));
    // The next read reports it.
    this.client.catch(() => {});
    this.slot = pLimit(config.maxSockets);
    this.ownAccount = isAws(config) ? accountOf(config.roleArn) : undefined;
  }

  /** One for every spelling of a queue's URL and for its name; for its name only once AWS has said whose account ours is. */
  subject({ queueURL }: Pick<SqsParams, 'queueURL'>): SubjectRef<SqsNeed> {
    const { name, origin, account = this.ownAccount } = queueURL;
    if (account === undefined) return { key: name, hintNames: [name], need: { name, account } };
    const url = urlOf(this.config, { account, name });
    const asGiven = origin === undefined ? url : `${origin}/${account}/${name}`;
    const hintNames = [...new Set([name, url, asGiven])];
    return { key: `${account}/${name}`, hintNames, need: { name, account } };
  }

  async read(
    subjects: readonly Subject<SqsNeed>[],
    deliver: Deliver<SqsSnapshot>,
    signal: AbortSignal,
  ): Promise<void> {
    await Promise.all(
      subjects.map(({ key, needs: [need] }) =>
        this.slot(async () => {
          if (need === undefined || signal.aborted) return;
          const read = this.readOne(key, need, signal);
          const result = await read.catch((reason: unknown) => ScalerError.from(reason));
          if (result !== undefined) deliver(key, result);
        }),
      ),
    );
  }

  async close(): Promise<void> {
    const client = await this.client.catch(() => undefined);
    client?.close();
  }

  /** Undefined where the queue is another subject's, which is read instead. */
  private async readOne(
    key: string,
    need: SqsNeed,
    signal: AbortSignal,
  ): Promise<{ snapshot: SqsSnapshot } | undefined> {
    const { name } = need;
    const client = await this.client;
    const account = need.account ?? this.ownAccount ?? (await this.askAccount(client, name, signal));
    if (need.account === undefined) {
      const queueURL = { name, account, origin: undefined, region: undefined };
      if (this.deps.same(key, this.subject({ queueURL }))) return undefined;
    }
    const url =
      account === this.ownAccount && this.ownOrigin !== undefined
        ? `${this.ownOrigin}/${account}/${name}`
        : urlOf(this.config, { account, name });
    return { snapshot: await client.counts({ name, url }, signal) };
  }

  /** Requests go to the connection's endpoint alone, whatever host AWS's answer names. */
  private async askAccount(client: SqsClient, name: string, signal: AbortSignal): Promise<string> {
    const address = parseQueueAddress(await client.queueUrl(name, signal));
    if (typeof address === 'string' || address.account === undefined) {
      throw new ScalerError('unavailable', `queue ${name}: the answer of SQS has no usable QueueUrl`);
    }
    this.ownAccount = address.account;
    this.ownOrigin = address.origin;
    return address.account;
  }
}
