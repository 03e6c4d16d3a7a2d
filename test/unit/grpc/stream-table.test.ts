import { once } from 'node:events';
import { type ClientHttp2Session, connect, createServer, type ServerHttp2Stream } from 'node:http2';
import { afterEach, describe, expect, it } from 'vitest';
import { listen } from '../../../fakes/ports.ts';
import { replaceStreamMap } from '../../../src/grpc/server.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A server that answers each stream with its path once all `expected` are open, and its client. */
async function serve(expected: number): Promise<{ client: ClientHttp2Session; opened: ServerHttp2Stream[] }> {
  const server = createServer();
  server.on('session', replaceStreamMap);
  const opened: ServerHttp2Stream[] = [];
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    opened.push(Object.assign(stream, { path: headers[':path'] }));
    if (opened.length !== expected) return;
    for (const each of opened) {
      each.respond({ ':status': 200 });
      each.end(Reflect.get(each, 'path'));
    }
  });
  const port = await listen(server);
  const client = connect(`http://127.0.0.1:${port}`);
  ends.push(() => {
    client.destroy();
    server.close();
  });
  return { client, opened };
}

async function ask(client: ClientHttp2Session, path: string): Promise<string> {
  let text = '';
  for await (const chunk of client.request({ ':path': path }).setEncoding('utf8')) text += chunk;
  return text;
}

/** The table of a session's streams, wherever Node keeps it. */
function tableOf({ session }: ServerHttp2Stream): { size: number; constructor?: { name: string } } {
  const state = Object.getOwnPropertySymbols(session).find(({ description }) => description === 'state');
  return Reflect.get(Reflect.get(Object(session), state ?? ''), 'streams');
}

describe('replaceStreamMap', () => {
  it('has a session of this Node keep its streams in our table', async () => {
    const { client, opened } = await serve(2);
    const answers = ask(client, '/a');
    await expect.poll(() => opened.length).toBe(1);
    const [stream] = opened;
    if (stream === undefined) throw new Error('no stream was opened');
    const table = tableOf(stream);
    expect({ name: table.constructor?.name, size: table.size }).toEqual({ name: 'StreamTable', size: 1 });

    expect(await Promise.all([answers, ask(client, '/b')])).toEqual(['/a', '/b']);
    await expect.poll(() => table.size).toBe(0);
  });

  it('answers each of many streams that are open at once', async () => {
    const { client } = await serve(50);
    const paths = Array.from({ length: 50 }, (_, n) => `/${n}`);
    expect(await Promise.all(paths.map((path) => ask(client, path)))).toEqual(paths);
  });

  it('ends open streams when its session is destroyed', async () => {
    const { client, opened } = await serve(4);
    for (const path of ['/a', '/b', '/c']) client.request({ ':path': path }).on('error', () => {});
    await expect.poll(() => opened.length).toBe(3);
    const closed = opened.map((stream) => once(stream, 'close'));
    opened[0]?.session?.destroy();
    await Promise.all(closed);
    expect(opened.map(({ destroyed }) => destroyed)).toEqual([true, true, true]);
  });
});
