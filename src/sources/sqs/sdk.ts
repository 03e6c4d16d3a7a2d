import type { SQSClient } from '@aws-sdk/client-sqs';
import type { SourceMetrics } from '../../telemetry/metrics.ts';

type Plugin = Parameters<SQSClient['middlewareStack']['use']>[0];

/** Counts every HTTP request that an AWS client sends, each attempt by itself, under the operation's name. */
export function counting(metrics: SourceMetrics): Plugin {
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
