import type { TestContext } from 'vitest';
import { tool, useTool } from '../tools/use-tool.ts';
import { FaultProxy } from './fault-proxy.ts';
import { SqsServer } from './server.ts';
import { TestQueues } from './test-queues.ts';

const find = { moto: () => tool('moto'), elasticmq: () => tool('elasticmq') };

export type SqsKind = keyof typeof find;

/** A test that runs beside others can register its cleanup only here. */
export type Test = Pick<TestContext, 'onTestFinished'>;

export interface TestSqs {
  /** The actions of producers and consumers, directly at the server. */
  readonly queues: TestQueues;
  /** A proxy to the server for one test, with faults. */
  proxy(test: Test): Promise<FaultProxy>;
}

/** A real server of SQS. Each test has its own queues. Needs Python, or Java and Maven, see `useTool`. */
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
