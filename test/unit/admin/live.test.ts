import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { LiveFeed, mostLiveReaders } from '../../../src/admin/live.ts';
import type { Change, Row, Tick } from '../../../src/admin/page/wire.ts';
import type { TriggerSummary } from '../../../src/triggers/trigger-status.ts';
import { manyStatuses, statusWith } from '../../support/statuses.ts';

let server: Server | undefined;
let feed: LiveFeed | undefined;
afterEach(async () => {
  feed?.close();
  server?.closeAllConnections();
  if (server) await new Promise((resolve) => server?.close(resolve));
});

/** Serves the feed of these triggers. Returns its address. */
async function serve(summaries: () => Iterable<TriggerSummary>, patienceMs = 20_000, may = () => true) {
  feed = new LiveFeed(
    {
      triggers: { summaries },
      connections: () => [{ name: 'orders', source: 'kafka', subjects: 2, requestsPerMinute: 60 }],
      version: '1.2.3',
      ready: () => true,
    },
    { everyMs: 10, patienceMs },
  );
  server = createServer((_, response) => {
    response.writeHead(feed?.isFull === true ? 503 : 200);
    if (feed?.isFull === true) response.end();
    else feed?.add(response, may);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, port };
}

interface Told {
  readonly rows: Map<number, Row>;
  readonly ages: Map<number, number>;
  readonly gone: number[];
  ticks: Tick[];
  sent: number;
  ended: boolean;
}

/** What a reader has received so far. */
async function read(url: string): Promise<Told> {
  const told: Told = { rows: new Map(), ages: new Map(), gone: [], ticks: [], sent: 0, ended: false };
  const { body } = await fetch(url);
  if (!body) throw new Error('no stream');
  const follow = async (): Promise<void> => {
    let left = '';
    for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
      const events = (left + chunk).split('\n\n');
      left = events.pop() ?? '';
      for (const event of events) take(told, event);
    }
  };
  void follow()
    .catch(() => {})
    .finally(() => {
      told.ended = true;
    });
  return told;
}

function take(told: Told, event: string): void {
  const [, name, data = ''] = /^event: (\w+)\ndata: (.*)$/.exec(event) ?? [];
  if (name === 'tick') told.ticks.push(JSON.parse(data));
  if (name !== 'change') return;
  const { rows = [], ages = [], gone = [] }: Change = JSON.parse(data);
  told.sent += rows.length;
  for (const row of rows) told.rows.set(row.n, row);
  for (let i = 0; i < ages.length; i += 2) told.ages.set(ages[i] ?? 0, ages[i + 1] ?? 0);
  for (const n of gone) {
    told.gone.push(n);
    told.rows.delete(n);
  }
}

describe('the live feed', () => {
  it('sends everything first, and then only changes', async () => {
    const live = new Map(manyStatuses(450).map((status) => [status.id, status]));
    const { url } = await serve(() => live.values());
    const told = await read(url);
    await expect.poll(() => told.ticks.length).toBeGreaterThan(3);
    expect([told.rows.size, told.ages.size, told.sent]).toEqual([450, 450, 450]);
    expect(told.ticks[0]).toMatchObject({
      version: '1.2.3',
      ready: true,
      connections: [{ name: 'orders', triggers: 450, failing: 0, requestsPerMinute: 60 }],
    });
    live.set('id-7', statusWith({ id: 'id-7', value: 99, error: 'e'.repeat(5_000) }));
    live.delete('id-8');
    live.set('id-new', statusWith({ id: 'id-new' }));
    await expect.poll(() => told.gone.length).toBe(1);
    await expect.poll(() => told.sent).toBe(452);
    const row = [...told.rows.values()].find(({ id }) => id === 'id-7');
    expect([row?.value, row?.error?.length]).toEqual([99, 301]);
    expect(told.ticks.at(-1)?.connections[0]).toMatchObject({ triggers: 450, failing: 1 });
  });

  it('sends a second reader the same, under the same numbers', async () => {
    const { url } = await serve(() => manyStatuses(20));
    const first = await read(url);
    await expect.poll(() => first.ticks.length).toBeGreaterThan(0);
    const second = await read(url);
    await expect.poll(() => second.ticks.length).toBeGreaterThan(0);
    expect([...second.rows.values()]).toEqual([...first.rows.values()]);
  });

  it('accepts a bounded number of readers, and another when one has gone', async () => {
    const { url } = await serve(() => []);
    const aborts = Array.from({ length: mostLiveReaders }, () => new AbortController());
    for (const { signal } of aborts) expect((await fetch(url, { signal })).status).toBe(200);
    expect((await fetch(url)).status).toBe(503);
    aborts[0]?.abort();
    await expect.poll(async () => (await fetch(url)).status).toBe(200);
  });

  it('cuts a reader that takes nothing, while others continue', async () => {
    let round = 0;
    const { url, port } = await serve(() => {
      round += 1;
      return manyStatuses(3_000).map((status) => ({ ...status, value: round }));
    }, 200);
    const slow = connect(port, '127.0.0.1');
    slow.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    slow.pause();
    const closed = once(slow, 'close');
    const good = await read(url);
    await expect.poll(() => good.ticks.length).toBeGreaterThan(5);
    // It notices when it reads on.
    await expect.poll(() => server && connections(server)).toBe(1);
    slow.resume();
    slow.on('error', () => {});
    await closed;
    expect(good.ended).toBe(false);
  });

  it('ends for readers whose token is no longer valid', async () => {
    let may = true;
    const { url } = await serve(
      () => [],
      20_000,
      () => may,
    );
    const told = await read(url);
    await expect.poll(() => told.ticks.length).toBeGreaterThan(0);
    may = false;
    await expect.poll(() => told.ended).toBe(true);
  });

  it('reads triggers only while it has a reader', async () => {
    let looks = 0;
    const { url } = await serve(() => {
      looks += 1;
      return [];
    });
    const abort = new AbortController();
    await fetch(url, { signal: abort.signal });
    await expect.poll(() => looks).toBeGreaterThan(2);
    abort.abort();
    await expect.poll(() => server && connections(server)).toBe(0);
    const before = looks;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(looks - before).toBeLessThanOrEqual(1);
  });
});

function connections(of: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    of.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}
