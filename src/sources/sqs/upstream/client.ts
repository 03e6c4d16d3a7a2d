import {
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  SQSClient,
  type SQSClientConfig,
} from '@aws-sdk/client-sqs';
import { fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { ScalerError } from '../../../errors.ts';
import { AwsHttp } from '../../../outbound/aws-http.ts';
import type { SourceMetrics } from '../../../telemetry/metrics.ts';
import type { SqsConfig } from '../config.ts';
import type { SqsSnapshot } from '../rules/history.ts';
import { fromAws, isStaleSocket, type Operation } from './errors.ts';

/** A request may take this many timeouts, with the credentials of the default chain and of a role. */
const wholeInTimeouts = 5;

const attributes = {
  visible: 'ApproximateNumberOfMessages',
  inFlight: 'ApproximateNumberOfMessagesNotVisible',
  delayed: 'ApproximateNumberOfMessagesDelayed',
} as const;

/** SQS as one connection sees it. Everything rejects with ScalerError. */
export class SqsClient {
  private readonly config: SqsConfig;
  private readonly sdk: SQSClient;

  /** Nothing is sent. */
  static async open(config: SqsConfig, metrics: SourceMetrics): Promise<SqsClient> {
    return new SqsClient(config, metrics, await AwsHttp.open(config));
  }

  private constructor(config: SqsConfig, metrics: SourceMetrics, requestHandler: AwsHttp) {
    this.config = config;
    const { region, endpoint } = config;
    this.sdk = new SQSClient({
      region,
      ...(endpoint === undefined ? {} : { endpoint }),
      // Else a signed request goes to whatever host a queue's URL names.
      useQueueUrlAsEndpoint: false,
      credentials: credentialsOf(config, metrics),
      // The subject is read again, at its own pace.
      maxAttempts: 1,
      requestHandler,
      logger: silentSdkLog,
    });
    this.sdk.middlewareStack.use(counting(metrics));
  }

  /** The URL of a queue of our own account. */
  async queueUrl(name: string, signal: AbortSignal): Promise<string> {
    const command = new GetQueueUrlCommand({ QueueName: name });
    const { QueueUrl: url } = await this.send('GetQueueUrl', name, signal, (abortSignal) =>
      this.sdk.send(command, { abortSignal }),
    );
    if (url === undefined) throw this.incomplete(name, 'QueueUrl');
    return url;
  }

  /** The three counts of a queue, in one request. */
  async counts({ name, url }: { name: string; url: string }, signal: AbortSignal): Promise<SqsSnapshot> {
    const command = new GetQueueAttributesCommand({
      QueueUrl: url,
      AttributeNames: Object.values(attributes),
    });
    const { Attributes: given = {} } = await this.send('GetQueueAttributes', name, signal, (abortSignal) =>
      this.sdk.send(command, { abortSignal }),
    );
    const count = (attribute: (typeof attributes)[keyof typeof attributes]): number => {
      const text = given[attribute];
      if (text === undefined || !/^\d{1,15}$/.test(text)) throw this.incomplete(name, attribute);
      return Number(text);
    };
    return {
      visible: count(attributes.visible),
      inFlight: count(attributes.inFlight),
      delayed: count(attributes.delayed),
    };
  }

  /** Closes its sockets; what is under way fails. */
  close(): void {
    this.sdk.destroy();
  }

  private async send<T>(
    operation: Operation,
    queue: string,
    signal: AbortSignal,
    request: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const limitMs = wholeInTimeouts * this.config.requestTimeoutMs;
    try {
      return await limited(limitMs, signal, (inner) =>
        request(inner).catch((reason: unknown) => {
          if (!isStaleSocket(reason)) throw reason;
          return request(inner);
        }),
      );
    } catch (reason) {
      throw fromAws(reason, { operation, queue, limitMs, ...this.config });
    }
  }

  private incomplete(queue: string, what: string): ScalerError {
    return new ScalerError('unavailable', `queue ${queue}: the answer of SQS has no usable ${what}`);
  }
}

/** Under this name AWS logs what an assumed role does. */
const sessionName = 'backlog-scaler';

/**
 * The credentials of the connection: its access key, or the AWS default chain (environment, IRSA, EKS Pod Identity,
 * instance role). With `roleArn`, that role. The SDK renews temporary ones.
 */
function credentialsOf(
  config: SqsConfig,
  metrics: SourceMetrics,
): NonNullable<SQSClientConfig['credentials']> {
  const clientPlugins = [counting(metrics)];
  const own = config.credentials ?? fromNodeProviderChain({ logger: silentSdkLog, clientPlugins });
  const { roleArn, externalId } = config;
  if (roleArn === undefined) return own;
  return fromTemporaryCredentials({
    masterCredentials: own,
    params: {
      RoleArn: roleArn,
      RoleSessionName: sessionName,
      ...(externalId === undefined ? {} : { ExternalId: externalId }),
    },
    // The subject is read again. Sockets and region are those of the SQS client.
    clientConfig: { maxAttempts: 1 },
    clientPlugins,
    logger: silentSdkLog,
  });
}

type Plugin = Parameters<SQSClient['middlewareStack']['use']>[0];

/** Counts every HTTP request that an AWS client sends, each attempt by itself, under the operation's name. */
function counting(metrics: SourceMetrics): Plugin {
  return {
    applyToStack(stack) {
      stack.add(
        (next, { commandName = 'Unknown' }) =>
          async (sent) => {
            const operation = commandName.replace(/Command$/, '');
            try {
              const answered = await next(sent);
              metrics.request(operation, isRefusal(answered.response) ? 'error' : 'ok');
              return answered;
            } catch (reason) {
              metrics.request(operation, 'error');
              throw reason;
            }
          },
        // Nearest to the wire: behind the middleware that tries again.
        { step: 'deserialize', priority: 'low', name: 'countRequests', override: true },
      );
    },
  };
}

function isRefusal(response: unknown): boolean {
  const hasStatus = typeof response === 'object' && response !== null && 'statusCode' in response;
  return hasStatus && Number(response.statusCode) >= 400;
}

/** What the AWS SDK has to say goes nowhere: its faults come as errors, and its advice is for who builds us. */
export const silentSdkLog = {
  trace() {},
  debug() {},
  info() {},
  warn() {},
  error() {},
};

/** A request had no answer, or no whole one, in the time that all of it may take. */
export class OutOfTime extends Error {
  override readonly name = 'OutOfTime';
}

/**
 * Runs a task that ends with the signal, or after `limitMs`. The AWS SDK checks its signal only during a request, not while
 * it searches for credentials. Rejects with the signal's reason, or OutOfTime.
 */
export async function limited<T>(
  limitMs: number,
  outer: AbortSignal,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const own = new AbortController();
  // Not a listener on the outer signal: a read of many queues would have too many for Node.
  const inner = AbortSignal.any([outer, own.signal]);
  const timer = setTimeout(() => own.abort(new OutOfTime()), limitMs);
  const aborted = new Promise<never>((_, reject) => {
    if (inner.aborted) reject(inner.reason);
    else inner.addEventListener('abort', () => reject(inner.reason), { once: true });
  });
  try {
    return await Promise.race([task(inner), aborted]);
  } finally {
    clearTimeout(timer);
  }
}
