import { NodeHttpHandler } from '@smithy/node-http-handler';
import { type AgentSettings, agentsOf } from './agents.ts';
import { boundedBytes } from './send.ts';

/** SQS's answers have some hundred bytes; credentials with their token a few thousand. */
const maxAnswerBytes = 256 * 1024;

/**
 * The AWS SDK's way to the network, for all services and for STS: through the proxies of the environment, in time, and
 * with bounded answers, where the SDK's own reader takes whatever comes.
 */
export class AwsHttp extends NodeHttpHandler {
  /** `requestTimeoutMs`: for connecting, and then for the head of the answer. */
  static async open({
    maxSockets,
    requestTimeoutMs,
  }: Pick<AgentSettings, 'maxSockets'> & { readonly requestTimeoutMs: number }): Promise<AwsHttp> {
    return new AwsHttp({
      connectionTimeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
      socketTimeout: requestTimeoutMs,
      ...(await agentsOf({ maxSockets, proxyTimeoutMs: requestTimeoutMs })),
    });
  }

  override async handle(
    ...[request, options]: Parameters<NodeHttpHandler['handle']>
  ): ReturnType<NodeHttpHandler['handle']> {
    const { response } = await super.handle(request, options);
    const signal = options?.abortSignal instanceof AbortSignal ? options.abortSignal : undefined;
    response.body = await boundedBytes(response.body, maxAnswerBytes, signal);
    return { response };
  }
}
