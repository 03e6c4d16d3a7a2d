import type { TestContext } from 'vitest';
import { tool, useTool } from '../tools/use-tool.ts';
import { FaultProxy } from './fault-proxy.ts';
import { SqsServer } from './server.ts';
import { TestQueues } from './test-queues.ts';

const find = { moto: () => tool('moto'), elasticmq: () => tool('elasticmq') };

export type SqsKind = keyof typeof find;

/** A test that runs beside others has no other way to say what is to be done at its end. */
export type Test = Pick<TestContext, 'onTestFinished'>;

export interface TestSqs {
  /** What producers and consumers do, straight at the server. */
  readonly queues: TestQueues;
  /** A way to the server for one test, with faults. */
  proxy(test: Test): Promise<FaultProxy>;
}

/** A real server of SQS; queues are the test's own. Needs Python, or Java and Maven: see `useTool`. */
export function useSqs(kind: SqsKind): () => TestSqs {
  const sqs = useTool(
    async () => {
      const server = await SqsServer.start(await find[kind]());
      return { server, queues: new TestQueues(server.url) };
    },
    {
      end: async ({ server, queues }) => {
        queues.close();
        await server.stop();
      },
    },
  );
  return () => {
    const { server, queues } = sqs();
    const upstream = { port: server.port, account: server.program.account };
    return {
      queues,
      proxy: async ({ onTestFinished }) => {
        const proxy = await FaultProxy.start(upstream);
        onTestFinished(() => proxy.close());
        return proxy;
      },
    };
  };
}
