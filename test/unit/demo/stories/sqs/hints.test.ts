import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { Hints } from '../../../../../demo/stories/sqs/hints.ts';

/** An ingest that knows one token. */
async function ingest(): Promise<{ url: string; paths: (string | undefined)[] }> {
  const paths: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    paths.push(`${request.method} ${request.url}`);
    response.statusCode = request.headers.authorization === 'Bearer known' ? 202 : 401;
    response.end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a listening server has a port');
  return { url: `http://127.0.0.1:${address.port}/ingest/hint/demo/orders`, paths };
}

it('shows its token', async () => {
  const { url, paths } = await ingest();
  await new Hints(url, 'known').post();
  expect(paths).toEqual(['POST /ingest/hint/demo/orders']);
});

it('does not take a refusal for a hint', async () => {
  const { url } = await ingest();
  await expect(new Hints(url, 'unknown').post()).rejects.toThrow('the hint was answered with 401');
});
