import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { queueSource, serviceOf } from '../support/queue-source.ts';
import { ref } from '../support/rpc-client.ts';
import { WholeScaler } from '../support/whole-scaler.ts';

const token = 'only-for-this-test';
const metadata = { source: 'queues', queue: 'orders', perReplica: '5' };
let scaler: WholeScaler;
let url: string;

beforeAll(async () => {
  const settings = {
    admin: { host: '127.0.0.1', port: 0, tokenFile: 'token' },
    connections: { work: { source: 'queues', service: 'history' } },
  };
  scaler = await WholeScaler.start(settings, { token }, { sources: [queueSource] });
  url = `http://127.0.0.1:${scaler.port('admin')}`;
});
afterAll(() => scaler.stop());

const { queues } = serviceOf('history');

function get(path: string): Promise<Response> {
  return fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
}

const rows = z.object({ triggers: z.array(z.looseObject({ id: z.string(), name: z.string() })) });

async function idOf(name: string): Promise<string> {
  const { triggers } = rows.parse(await (await get('/api/triggers')).json());
  const id = triggers.find((row) => row.name === name)?.id;
  if (id === undefined) throw new Error(`${name} is not live`);
  return id;
}

describe('the history of a trigger', () => {
  it('has the values that KEDA got, and the decisions', async () => {
    queues.set('orders', { visible: 0, inFlight: 0 });
    const reference = ref('workers', metadata);
    const stream = scaler.client.streamIsActive(reference);
    expect((await scaler.client.isActive(reference)).result).toBe(false);
    queues.set('orders', { visible: 42, inFlight: 0 });
    // Another trigger of the same queue with a shorter staleness limit causes another read.
    const other = ref('others', { ...metadata, maxStalenessSeconds: '1' });
    await expect.poll(async () => (await scaler.client.isActive(other)).result).toBe(true);
    stream.cancel();

    const id = await idOf('workers');
    const answer = await get(`/api/triggers/${id}/history`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      'application/json; charset=utf-8',
    ]);
    expect(await answer.json()).toMatchObject({
      id,
      namespace: 'shop',
      name: 'workers',
      source: 'queues',
      from: expect.stringMatching(/^\d{4}-.*Z$/),
      points: expect.arrayContaining([
        expect.objectContaining({ backlog: 42, value: 42, target: 5, active: true, desired: 9 }),
      ]),
      events: [{ time: expect.any(String), kind: 'activated', cause: 'clock' }],
    });
    const csv = await get(`/api/triggers/${id}/history?format=csv&seconds=60`);
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    const lines = (await csv.text()).trimEnd().split('\n');
    expect(lines[0]).toBe('time,backlog,arrivals,value,target,active,desired');
    expect(lines.at(-1)).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z,42,,42,5,true,9$/);
  });

  it('counts its size', async () => {
    const page = await (await get('/metrics')).text();
    expect(Number(/^backlog_scaler_history_bytes (\d+)$/m.exec(page)?.[1])).toBeGreaterThan(0);
  });

  it('needs the token, an existing trigger, and valid parameters', async () => {
    const id = await idOf('workers');
    expect((await fetch(`${url}/api/triggers/${id}/history`)).status).toBe(401);
    const unknown = await get('/api/triggers/nobody/history');
    expect([unknown.status, await unknown.json()]).toEqual([
      404,
      { error: 'there is no trigger of this id now; /api/triggers has the ids of those that there are' },
    ]);
    for (const [id, status] of [
      ['%zz', 400],
      ['x'.repeat(3_000), 414],
    ] as const) {
      const unread = await get(`/api/triggers/${id}/history`);
      expect([unread.status, await unread.json()]).toEqual([
        status,
        { error: 'the address cannot be read, or is too long' },
      ]);
    }
    const faulty = await get(`/api/triggers/${id}/history?seconds=x&format=y`);
    expect([faulty.status, await faulty.json()]).toEqual([
      400,
      { error: 'seconds must be a whole number from 1 to 604800; format must be json or csv' },
    ]);
  });
});
