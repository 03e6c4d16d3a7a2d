import { NodeHttpHandler } from '@smithy/node-http-handler';
import { type AgentSettings, agentsOf } from './agents.ts';
import { boundedBytes } from './send.ts';

/** An answer of SQS has some hundred bytes, credentials with their token a few thousand. */
const maxAnswerBytes = 256 * 1024;

/**
 * The HTTP handler of the AWS SDK, for all services and for STS. It uses the proxies of the environment, and bounds the
 * time and size of answers. The SDK's own reader has no bound.
 */
export class AwsHttp extends NodeHttpHandler {
  /** `requestTimeoutMs` holds for connecting, and again for the head of the answer. */
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
