import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { connect, createServer as createTcpServer, Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { boundHttp, Sockets } from '../../src/sockets.ts';

const request = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';

/** An HTTP server with at most three sockets, and a way to open more. */
async function start(answer: RequestListener, answerMs = 60_000) {
  const server = createServer(answer);
  const sockets = boundHttp(server, { most: 3, answerMs });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    sockets.closeAll();
  });
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const open = async (): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    onTestFinished(() => void socket.destroy());
    const taken = once(server, 'connection');
    await once(socket, 'connect');
    await taken;
    return socket;
  };
  return { sockets, open, port };
}

async function answered(socket: Socket): Promise<string> {
  socket.write(request);
  const [answer] = await once(socket, 'data');
  return String(answer).slice(0, 'HTTP/1.1 200'.length);
}

describe('the sockets of a port', () => {
  it('are never more than their bound, and the newest is served', async () => {
    const { sockets, open } = await start((_, response) => response.end());
    for (let opened = 0; opened < 50; opened += 1) {
      const newest = await open();
      expect(sockets.size).toBeLessThanOrEqual(3);
      expect(await answered(newest)).toBe('HTTP/1.1 200');
    }
  });

  it('make room by the one that has been idle for the longest', async () => {
    const { open } = await start((_, response) => response.end());
    const [first, second, third] = [await open(), await open(), await open()];
    // Idle since its answer. The second one has been idle for the longest.
    await answered(first);
    const closed = once(second, 'close');
    await open();
    await closed;
    expect(await answered(first)).toBe('HTTP/1.1 200');
    expect(await answered(third)).toBe('HTTP/1.1 200');
  });

  it('make room by idle ones before any that waits for an answer', async () => {
    const held: (() => void)[] = [];
    const { sockets, open } = await start((_, response) => void held.push(() => response.end()));
    const busy = await open();
    const answer = answered(busy);
    await expect.poll(() => held.length).toBe(1);
    for (let opened = 0; opened < 10; opened += 1) await open();
    expect(sockets.size).toBe(3);
    for (const release of held) release();
    expect(await answer).toBe('HTTP/1.1 200');
  });

  it('make room by closing the one that has waited longest, if all wait', async () => {
    const held: (() => void)[] = [];
    const { open } = await start((_, response) => void held.push(() => response.end()));
    const waiting = [await open(), await open(), await open()];
    for (const [index, socket] of waiting.entries()) {
      socket.write(request);
      await expect.poll(() => held.length).toBe(index + 1);
    }
    const [longest] = waiting;
    const closed = longest && once(longest, 'close');
    await open();
    await closed;
    expect(waiting.map(({ destroyed }) => destroyed)).toEqual([true, false, false]);
  });

  it('make room by the one with the fewest calls under way, however long the others have been there', async () => {
    const server = createTcpServer();
    const sockets = new Sockets(server, { most: 3, callsEnd: false });
    const add = (calls: number): Socket => {
      const socket = new Socket();
      server.emit('connection', socket);
      for (let call = 0; call < calls; call += 1) sockets.begin(socket);
      return socket;
    };
    const [keda, some, one] = [add(20), add(2), add(1)];
    const newest = add(1);
    add(1);
    expect([keda, some, one, newest].map(({ destroyed }) => destroyed)).toEqual([false, false, true, true]);
  });

  it('that are trusted stay, idle as they are, while others come and go', async () => {
    const server = createTcpServer();
    const sockets = new Sockets(server, { most: 3, callsEnd: false });
    const add = (): Socket => {
      const socket = new Socket();
      server.emit('connection', socket);
      sockets.begin(socket);
      return socket;
    };
    const known = add();
    sockets.trust(known);
    sockets.end(known);
    const strangers = Array.from({ length: 50 }, () => {
      const socket = add();
      sockets.end(socket);
      return socket;
    });
    expect([known.destroyed, sockets.size]).toEqual([false, 3]);
    expect(strangers.filter(({ destroyed }) => !destroyed)).toHaveLength(2);
    // If all have just begun something, that counts less.
    for (const socket of strangers) sockets.begin(socket);
    const newest = add();
    expect([known.destroyed, newest.destroyed]).toEqual([true, false]);
  });

  it.each([true, false])(
    'make room by slow calls before those that have just come, where calls end: %s',
    (callsEnd) => {
      vi.useFakeTimers({ toFake: ['performance'] });
      onTestFinished(() => void vi.useRealTimers());
      const server = createTcpServer();
      const sockets = new Sockets(server, { most: 3, callsEnd });
      const add = (): Socket => {
        const socket = new Socket();
        server.emit('connection', socket);
        return socket;
      };
      const stalled = [add(), add(), add()];
      for (const socket of stalled) sockets.begin(socket);
      vi.advanceTimersByTime(1001);
      const newcomers = [add(), add(), add()];
      // Where fewer than half are busy, those are in nobody's way.
      expect(stalled.filter(({ destroyed }) => destroyed)).toHaveLength(callsEnd ? 2 : 1);
      expect(newcomers.filter(({ destroyed }) => destroyed)).toHaveLength(callsEnd ? 1 : 2);
      // Those that have asked for nothing in this time go first.
      vi.advanceTimersByTime(1001);
      const last = newcomers.at(-1);
      if (last !== undefined) sockets.begin(last);
      for (let more = 0; more < 5; more += 1) add();
      expect(last?.destroyed).toBe(false);
    },
  );

  it('are closed when an answer is not taken in time', async () => {
    const { sockets, open } = await start((_, response) => void response.write('x'.repeat(1024)), 50);
    const socket = await open();
    socket.write(request);
    await once(socket.resume(), 'close');
    await expect.poll(() => sockets.size).toBe(0);
  });
});
