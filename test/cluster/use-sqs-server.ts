import { SqsServer } from '../support/sqs/server.ts';
import { TestQueues } from '../support/sqs/test-queues.ts';
import { tool, useTool } from '../support/tools/use-tool.ts';

/** moto's SQS, and its producers and consumers. */
export function useSqsServer(): () => { readonly url: string; readonly queues: TestQueues } {
  const found = useTool(
    async () => {
      const server = await SqsServer.start(await tool('moto'));
      return { server, url: server.url, queues: new TestQueues(server.url) };
    },
    {
      end: async ({ server, queues }) => {
        queues.close();
        await server.stop();
      },
    },
  );
  return found;
}
