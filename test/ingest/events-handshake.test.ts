import { expect, it } from 'vitest';
import { send, startEvents, started } from '../support/cloudevents-port.ts';
import { post } from '../support/ingest.ts';

const asking = {
  'webhook-request-origin': 'eventgrid.example',
  'webhook-request-callback': 'http://127.0.0.1:1/confirm?id=1',
  'webhook-request-rate': '120',
};

it('a sender that asks gets permission to send, without a token, and the same for every path', async () => {
  const { port, counted } = await startEvents();
  const ask = (path: string) => post(port, { method: 'OPTIONS', path, headers: asking });
  const { status, headers, body } = await ask('/ingest/events/jobs/orders');
  expect([status, headers]).toMatchObject([
    200,
    { allow: 'POST, OPTIONS', 'webhook-allowed-origin': '*', 'webhook-allowed-rate': '*' },
  ]);
  expect(body).toEqual({ accepted: 'may send, with a token; no callback is called' });
  for (const path of ['/ingest/events/builds', '/ingest/events/nobody']) {
    const other = await ask(path);
    expect([other.status, other.headers['webhook-allowed-origin'], other.body]).toEqual([200, '*', body]);
  }
  expect(await counted('ping')).toBe(3);
});

it('another OPTIONS request gets the accepted methods', async () => {
  const { port } = await startEvents();
  const { status, headers } = await post(port, { method: 'OPTIONS', path: '/ingest/events/jobs' });
  expect([status, headers.allow]).toEqual([200, 'POST, OPTIONS']);
  expect(headers).not.toHaveProperty('webhook-allowed-origin');
});

it('a sender with permission sends with the same origin', async () => {
  const { port, kept } = await startEvents();
  expect((await send(port, 'builds', started, { headers: asking })).status).toBe(202);
  expect(kept).toHaveLength(1);
});
