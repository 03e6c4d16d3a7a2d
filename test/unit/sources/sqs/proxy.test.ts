import { afterEach, expect, it, vi } from 'vitest';
import { connectProxy } from '../../../support/connect-proxy.ts';
import { connectionTo, errorOf } from './connecting.ts';

afterEach(() => void vi.unstubAllEnvs());

const queue = '/123456789012/jobs';

it('a proxy that refuses is named, and not taken for AWS', async () => {
  const proxy = await connectProxy({});
  vi.stubEnv('HTTPS_PROXY', proxy.url);
  const connection = connectionTo();
  expect((await errorOf(connection, queue)).message).toBe(
    `queue jobs in eu-central-1: the proxy http://127.0.0.1:${new URL(proxy.url).port} does not let the request through (HTTP 407): put user and password into its address`,
  );
  expect(proxy.asked).toEqual(['CONNECT sqs.eu-central-1.amazonaws.com:443']);
  await connection.close();
});

it('an endpoint in the cluster is not reached through it', async () => {
  const proxy = await connectProxy({});
  vi.stubEnv('HTTP_PROXY', proxy.url);
  vi.stubEnv('NO_PROXY', '127.0.0.1,.svc');
  const connection = connectionTo('http://127.0.0.1:1');
  expect((await errorOf(connection, queue)).message).toContain('http://127.0.0.1:1 refuses the connection');
  expect(proxy.asked).toEqual([]);
  await connection.close();
});
