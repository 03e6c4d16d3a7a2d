import { describe, expect, it } from 'vitest';
import { batch, binary, example, structured } from '../support/cloudevents.ts';
import { authorized, send, startEvents, started, startedBatch } from '../support/cloudevents-port.ts';
import { argo, cdevents, codePipeline, knative, tekton } from '../support/cloudevents-senders.ts';
import { type Post, post } from '../support/ingest.ts';

describe('a CloudEvent for a connection with a ledger of CloudEvents', () => {
  it('is kept as a fact of that connection, then accepted', async () => {
    const { port, kept, hints, counted } = await startEvents();
    const { status, body } = await send(port, 'builds', started);
    expect([status, body]).toEqual([202, { accepted: 'kept' }]);
    expect(kept).toEqual([
      {
        connection: 'builds',
        type: 'work.started',
        id: '1234-1234-1234',
        receivedAtMs: expect.any(Number),
        fact: { key: '/mycontext/subcontext', open: true },
      },
    ]);
    expect([hints, await counted('accepted')]).toEqual([[], 1]);
  });

  it('may come in a batch in which some mean nothing', async () => {
    const { port, kept } = await startEvents();
    const events = ['work.started', 'other', 'work.finished'].map((type, index) => ({
      ...example,
      type,
      source: `/item/${index}`,
    }));
    expect((await send(port, 'builds', batch(events))).status).toBe(202);
    expect(kept.map(({ fact }) => fact)).toEqual([
      { key: '/item/0', open: true },
      { key: '/item/2', open: false },
    ]);
  });

  it('is accepted and counted separately if it means nothing', async () => {
    const { port, kept, counted } = await startEvents();
    expect((await send(port, 'builds', structured())).status).toBe(202);
    expect((await send(port, 'builds', batch([]))).status).toBe(202);
    expect([kept, await counted('ignored')]).toEqual([[], 2]);
  });

  it('follows its own subject, whatever the path names', async () => {
    const { port, kept, hints } = await startEvents();
    expect((await send(port, 'builds/some/thing', started)).status).toBe(202);
    expect([kept.length, hints]).toEqual([1, []]);
  });

  it('is answered only once it is kept', async () => {
    const waiting: (() => void)[] = [];
    const events = { append: () => new Promise<void>((resolve) => waiting.push(resolve)) };
    const { port } = await startEvents({ events });
    let answered = false;
    const sent = send(port, 'builds', startedBatch(2)).finally(() => {
      answered = true;
    });
    await expect.poll(() => waiting.length).toBe(2);
    waiting[0]?.();
    // Another request and its answer. An answer that did not wait would be here by now.
    await send(port, 'jobs', started);
    expect(answered).toBe(false);
    waiting[1]?.();
    expect((await sent).status).toBe(202);
  });

  it('must come again if one of a batch cannot be kept', async () => {
    const append = ({ id }: { id: string }) =>
      id === '1' ? Promise.reject(new Error('disk full')) : Promise.resolve();
    const { port, counted, log } = await startEvents({ events: { append } });
    const { status, headers } = await send(port, 'builds', startedBatch(3));
    expect([status, headers['retry-after']]).toEqual([503, '5']);
    expect(await counted('unavailable')).toBe(1);
    expect(log.lines.at(-1)).toMatchObject({ level: 'error', fields: { error: 'disk full' } });
  });
});

describe('a CloudEvent for any other connection', () => {
  it('is a hint for the subject in the path, whatever its own subject is', async () => {
    const { port, kept, hints, counted } = await startEvents({ hint: (_, subject) => subject !== 'other' });
    const event = binary({ 'ce-subject': 'acme/else' });
    const sent = async (path: string) => (await send(port, path, event)).status;
    expect([await sent('jobs/orders'), await sent('jobs/acme%2Fweb'), await sent('jobs/acme/web')]).toEqual([
      202, 202, 202,
    ]);
    expect([await sent('jobs'), await sent('jobs/other')]).toEqual([202, 202]);
    expect(hints).toEqual([
      ['jobs', 'orders', 'event'],
      ['jobs', 'acme/web', 'event'],
      ['jobs', 'acme/web', 'event'],
      ['jobs', undefined, 'event'],
      ['jobs', 'other', 'event'],
    ]);
    expect([await counted('accepted'), await counted('unwatched'), kept]).toEqual([4, 1, []]);
  });

  it('is one hint for a batch, and none for an empty one', async () => {
    const { port, hints, counted } = await startEvents();
    await send(port, 'jobs', startedBatch(1000));
    expect(hints).toHaveLength(1);
    await send(port, 'jobs', batch([]));
    expect([hints.length, await counted('ignored')]).toEqual([1, 1]);
  });

  it.each(Object.entries({ knative, tekton, cdevents, codePipeline, argo }))(
    'as %s sends it',
    async (_, sent) => {
      const { port, hints } = await startEvents();
      expect((await send(port, 'jobs/orders', sent)).status).toBe(202);
      expect(hints).toEqual([['jobs', 'orders', 'event']]);
    },
  );
});

describe('a request with events that is refused', () => {
  const headers = (given: Post['headers']): Post => ({ headers: given ?? {} });
  it.each<[string, Post, number, string]>([
    ['without a token', headers({ authorization: '' }), 401, 'unsigned'],
    ['with a password', headers({ authorization: 'Basic Y2k6dDBrZW4=' }), 401, 'unsigned'],
    ['with a wrong token', headers({ authorization: 'Bearer other-t0ken' }), 401, 'refused'],
    [
      'with its token in the URL',
      { path: '/ingest/events/builds?access_token=ci-t0ken-0123456789', ...headers({ authorization: '' }) },
      401,
      'unsigned',
    ],
    ['for a connection that is not there', { path: '/ingest/events/nobody' }, 404, 'unknown_connection'],
    [
      "with another connection's token",
      headers({ authorization: 'Bearer shop-t0ken-0123456789' }),
      403,
      'foreign',
    ],
    [
      'in a format that is not known',
      headers({ 'content-type': 'application/cloudevents+avro' }),
      415,
      'unsupported',
    ],
    ['of another version', headers({ 'ce-specversion': '0.3' }), 400, 'malformed'],
    ['without a source', headers({ 'ce-source': [] }), 400, 'malformed'],
    ['whose header is no UTF-8', headers({ 'ce-subject': '%C0%A0' }), 400, 'malformed'],
    ['that is no JSON', { body: '{"a":' }, 400, 'malformed'],
    ['that is no UTF-8', { body: Buffer.from([0x22, 0xff, 0x22]) }, 400, 'malformed'],
    ['of 20 MB', { body: Buffer.alloc(20 * 1024 * 1024, ' ') }, 413, 'too_large'],
    ['as GET', { method: 'GET', body: '' }, 405, 'unsupported'],
    ['as PUT', { method: 'PUT' }, 405, 'unsupported'],
  ])('%s', async (_, more, status, outcome) => {
    const { port, kept, hints, counted, log } = await startEvents();
    const answered = await send(port, 'builds', started, more);
    expect([answered.status, answered.body]).toEqual([status, { error: expect.any(String) }]);
    expect(await counted(outcome)).toBe(1);
    expect([kept, hints]).toEqual([[], []]);
    expect(JSON.stringify([answered.body, log.lines])).not.toContain('t0ken');
  });

  it('of plain text, or of JSON that is not an event', async () => {
    const { port } = await startEvents();
    const body = JSON.stringify({ alerts: [] });
    const status = async (contentType: string) =>
      (await send(port, 'jobs', { headers: { 'content-type': contentType }, body })).status;
    expect(await status('text/plain')).toBe(415);
    expect(await status('application/json')).toBe(400);
  });

  it('of 10,000 events, with nothing accepted', async () => {
    const { port, kept, counted } = await startEvents();
    const { status, body } = await send(port, 'builds', startedBatch(10_000));
    const error = 'nothing was taken: 10000 events are more than the 1000 of one request';
    expect([status, body]).toEqual([413, { error }]);
    expect([kept, await counted('too_large')]).toEqual([[], 1]);
  });

  it('has every wrong event named, with nothing accepted', async () => {
    const { port, kept } = await startEvents();
    const events = [{ ...example, type: 'work.started' }, { ...example, source: undefined }, {}];
    const { status, body } = await send(port, 'builds', batch(events));
    const error =
      'nothing was taken: [1] source is missing; [2] specversion is missing; [2] id is missing; [2] source is missing; [2] type is missing';
    expect([status, body, kept]).toEqual([400, { error }, []]);
  });

  it('has its faults found in order: token, connection, namespace, type, size, events', async () => {
    const { port } = await startEvents();
    const huge = 'x'.repeat(6 * 1024 * 1024);
    const none = { authorization: '' };
    const foreign = { authorization: 'Bearer shop-t0ken-0123456789' };
    const status = async (path: string, body: string, more: object) =>
      (await post(port, { path: `/ingest/events/${path}`, body, headers: { ...authorized, ...more } }))
        .status;
    const plain = { 'content-type': 'text/plain' };
    expect(await status('nobody', huge, { ...plain, ...none })).toBe(401);
    expect(await status('nobody', huge, { ...plain, ...foreign })).toBe(404);
    expect(await status('builds', huge, { ...plain, ...foreign })).toBe(403);
    expect(await status('builds', huge, plain)).toBe(415);
    expect(await status('builds', huge, {})).toBe(413);
    expect(await status('builds', 'x', {})).toBe(400);
  });

  it('names no connection, or has far too many headers', async () => {
    const { port } = await startEvents();
    expect((await post(port, { path: '/ingest/events', headers: authorized })).status).toBe(404);
    const bomb = binary({ 'ce-extension': 'x'.repeat(20_000) });
    await expect(send(port, 'builds', bomb)).resolves.toMatchObject({ status: 431 });
    expect((await send(port, 'builds', started)).status).toBe(202);
  });
});
