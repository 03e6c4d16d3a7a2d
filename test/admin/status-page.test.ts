import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { ref } from '../support/rpc-client.ts';
import { WholeScaler } from '../support/whole-scaler.ts';

const token = 'only-for-this-test';
const secret = 'n0t-to-be-shown-anywhere';
const fromEnv = 'topic-from-the-environment';
let scaler: WholeScaler;
let url: string;

beforeAll(async () => {
  const settings = {
    admin: { host: '127.0.0.1', port: 0, tokenFile: 'token' },
    // Nothing listens there.
    connections: {
      orders: {
        source: 'kafka',
        bootstrapServers: ['127.0.0.1:1'],
        sasl: { mechanism: 'plain', username: 'u', passwordFile: 'password' },
      },
    },
    security: { allowPlaintextSecrets: true },
  };
  scaler = await WholeScaler.start(settings, { token, password: secret });
  url = `http://127.0.0.1:${scaler.port('admin')}`;
  const metadata = {
    source: 'kafka',
    connection: 'orders',
    consumerGroup: 'workers',
    topicFromEnv: fromEnv,
    lagThreshold: '7',
  };
  await scaler.client.isActive(ref('workers', metadata)).catch(() => {});
});
afterAll(() => scaler.stop());

const get = (path: string, given = token): Promise<Response> =>
  fetch(url + path, { headers: { authorization: `Bearer ${given}` } });
const rows = z.object({ triggers: z.array(z.looseObject({ id: z.string() })) });

describe('the status page of a running scaler', () => {
  it('serves its own files without the token, and nothing else', async () => {
    const warnings: string[] = [];
    const warned = ({ message }: Error): number => warnings.push(message);
    process.on('warning', warned);
    onTestFinished(() => {
      process.off('warning', warned);
    });
    for (const [path, type] of [
      ['/', 'text/html'],
      ['/page/main.js', 'text/javascript'],
      ['/page/rows.ts', 'text/javascript'],
      ['/page/style.css', 'text/css'],
      ['/page/icon.svg', 'image/svg+xml'],
      ['/page/uplot.js', 'text/javascript'],
      ['/page/uplot.css', 'text/css'],
    ] as const) {
      const response = await fetch(url + path);
      expect([path, response.status, response.headers.get('content-type')]).toEqual([
        path,
        200,
        expect.stringContaining(type),
      ]);
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect(await response.text()).not.toContain(': string');
      const etag = response.headers.get('etag') ?? '';
      expect((await fetch(url + path, { headers: { 'if-none-match': etag } })).status).toBe(304);
    }
    expect(warnings).toEqual([]);
    for (const path of ['/page/tsconfig.json', '/page/..%2fserver.ts', '/page/nothing.js', '/page/']) {
      expect([path, (await fetch(url + path)).status]).toEqual([path, 404]);
    }
    for (const path of ['/api/live', '/api/sparks?ids=a', '/api/triggers/a', '/api/triggers/a/history']) {
      expect([path, (await get(path, 'wrong')).status]).toEqual([path, 401]);
    }
  });

  it('never reveals a secret, or a value from a trigger’s environment', async () => {
    const list = await (await get('/api/triggers')).text();
    const [trigger] = rows.parse(JSON.parse(list)).triggers;
    const id = trigger?.id ?? '';
    const details = await (await get(`/api/triggers/${id}`)).text();
    expect(details).toContain('consumerGroup: workers\\n');
    expect(details).toContain('topic: (not shown) [topicFromEnv]');
    expect(details).toContain('UNAVAILABLE');
    const live = await get('/api/live');
    let told = '';
    if (!live.body) throw new Error('no stream');
    for await (const chunk of live.body.pipeThrough(new TextDecoderStream())) {
      told += chunk;
      if (told.includes('event: tick')) break;
    }
    expect(told).toContain('"name":"workers"');
    const history = await (await get(`/api/triggers/${id}/history`)).text();
    const sparks = await (await get(`/api/sparks?ids=${id},nobody`)).text();
    expect(Object.keys(JSON.parse(sparks))).toEqual([id]);
    for (const text of [list, details, told, history, sparks]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(fromEnv);
    }
  });

  it('says what is wrong with a request', async () => {
    expect([(await get('/api/triggers/nobody')).status, (await get('/api/sparks')).status]).toEqual([
      404, 400,
    ]);
    const many = Array.from({ length: 65 }, (_, i) => i).join();
    expect(await (await get(`/api/sparks?ids=${many}`)).json()).toEqual({
      error: 'ids must be 1 to 64 ids of triggers, with commas between',
    });
  });
});
