import { afterAll, beforeAll, beforeEach, type TestContext } from 'vitest';
import { FaultProxy } from './fault-proxy.ts';
import { programOf, type SqsKind, whyNoSqs } from './program.ts';
import { SqsServer } from './server.ts';
import { TestQueues } from './test-queues.ts';

const startLimitMs = 300_000;

/** A test that runs beside others has no other way to say what is to be done at its end. */
export type Test = Pick<TestContext, 'onTestFinished'>;

export interface TestSqs {
  /** What producers and consumers do, straight at the server. */
  readonly queues: TestQueues;
  /** A way to the server for one test, with faults. */
  proxy(test: Test): Promise<FaultProxy>;
}

/**
 * A real server of SQS for the tests of a file or `describe`, started once before them; queues are the test's own.
 * Call the result inside a test. Where Python, Java or Maven is missing the tests are skipped with the reason, or
 * fail when `CI` is set.
 */
export function useSqs(kind: SqsKind): () => TestSqs {
  let server: SqsServer | undefined;
  let queues: TestQueues | undefined;
  beforeAll(async () => {
    if ((await whyNoSqs(kind)) !== undefined) return;
    server = await SqsServer.start(await programOf(kind));
    queues = new TestQueues(server.url);
  }, startLimitMs);
  beforeEach(async (context) => {
    const reason = await whyNoSqs(kind);
    if (reason !== undefined) context.skip(reason);
  });
  afterAll(async () => {
    queues?.close();
    await server?.stop();
  }, startLimitMs);
  return () => {
    if (server === undefined || queues === undefined)
      throw new Error('useSqs: the server is there inside tests only');
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
