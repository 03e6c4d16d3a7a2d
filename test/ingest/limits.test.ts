import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Hinted } from '../../src/ingest/senders.ts';
import { type Posted, post, receiver, senders, sign, startIngest } from '../support/ingest.ts';
import { IngestSocket } from '../support/ingest-socket.ts';

const mebibyte = 1024 * 1024;
const acme = receiver('acme', ['s3cret']);
const honest = { body: JSON.stringify({ action: 'queued', owner: 'acme' }), secret: 's3cret' };
const forged = { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` };

/** Posts an honest webhook on a connection of the agent. Resolves with its local port. */
function postOn(agent: Agent, port: number, body: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      'x-github-event': 'workflow_job',
      'x-hub-signature-256': sign(body, honest.secret),
    };
    const sent = request({ host: '127.0.0.1', port, path: '/ingest/github', method: 'POST', agent, headers });
    sent.on('error', reject);
    sent.once('response', (response) => {
      const { localPort } = response.socket;
      text(response).then(() => resolve(response.statusCode === 202 ? localPort : undefined), reject);
    });
    sent.end(body);
  });
}

describe('the size of a body', () => {
  it('is refused by its announced length, with none of 30 MB read', async () => {
    const { port, server, counted } = await startIngest([acme]);
    const sender = new IngestSocket(port);
    sender.head({ 'content-length': 30 * mebibyte });
    sender.write(Buffer.alloc(30 * mebibyte));
    await expect.poll(() => sender.status).toBe(413);
    await sender.closed;
    expect(sender.socket.bytesWritten).toBeLessThan(31 * mebibyte);
    expect([server.inflightBytes, await counted('too_large')]).toEqual([0, 1]);
    expect((await post(port, honest)).status).toBe(202);
  });

  it('is refused as soon as its chunks exceed the limit', async () => {
    const { port, server } = await startIngest([acme], { limits: { maxBodyBytes: 100_000 } });
    const sender = new IngestSocket(port);
    sender.head({ 'transfer-encoding': 'chunked' });
    for (let sent = 0; sent <= 100_000; sent += 1000) sender.write(`3e8\r\n${'x'.repeat(1000)}\r\n`);
    await expect.poll(() => sender.status).toBe(413);
    await sender.closed;
    expect(server.inflightBytes).toBe(0);
  });

  it('may be exactly the limit, in the smallest chunks', async () => {
    const { port, kept } = await startIngest([acme], { limits: { maxBodyBytes: 40_000 } });
    const body = honest.body.padEnd(40_000);
    expect((await post(port, { ...honest, body })).status).toBe(202);
    expect((await post(port, { ...honest, body: `${body} ` })).status).toBe(413);
    expect(kept).toHaveLength(1);
  });

  it('costs no more if it comes byte by byte', async () => {
    const { port, server } = await startIngest([acme]);
    const sender = new IngestSocket(port);
    sender.head({ 'transfer-encoding': 'chunked' });
    sender.write('1\r\nx\r\n'.repeat(100_000));
    await expect.poll(() => server.inflightBytes).toBeGreaterThan(0);
    expect(server.inflightBytes).toBeLessThanOrEqual(4 * 100_000);
    sender.write('0\r\n\r\n');
    await expect.poll(() => sender.status).toBe(401);
  });
});

describe('a flood', () => {
  it.each([
    ['unsigned', {}, { unsigned: 200 }],
    ['signed by nobody we know', forged, {}],
  ])(
    'of 200 bodies of 4 MB, %s, stays within the bound, and others are served',
    async (_, headers, exactly) => {
      const { port, server, limits, counted } = await startIngest([acme]);
      let most = 0;
      const watch = setInterval(() => {
        most = Math.max(most, server.inflightBytes);
      }, 1);
      const body = Buffer.alloc(4 * mebibyte, 'x');
      // A sender that is refused while it sends may see its connection closed before the answer.
      const flood = Array.from({ length: 200 }, () =>
        post(port, { body, headers }).then(
          ({ status }) => status,
          () => 'closed',
        ),
      );
      const statuses = await Promise.all(flood);
      clearInterval(watch);
      expect(most).toBeLessThanOrEqual(limits.maxInflightBytes);
      // On a busy machine a head may not come in time, which Node answers before anything is counted.
      const late = statuses.filter((status) => status === 408).length;
      expect(statuses.filter((status) => ![401, 408, 429, 'closed'].includes(status))).toEqual([]);
      // A sender may be gone before its request has been counted.
      const outcomes = async () =>
        (await counted('unsigned')) + (await counted('refused')) + (await counted('busy'));
      await expect.poll(outcomes).toBe(200 - late);
      for (const [outcome, count] of Object.entries(exactly))
        expect(await counted(outcome)).toBe(count - late);
      expect(server.inflightBytes).toBe(0);
      expect((await post(port, honest)).status).toBe(202);
    },
  );

  it('that fills the whole bound makes others come back, until it is gone', async () => {
    const all = 60 * 1024;
    const limits = { maxBodyBytes: all, maxInflightBytes: all };
    const { port, server, counted } = await startIngest([acme], { limits });
    const holder = new IngestSocket(port);
    holder.head({ 'content-length': all });
    holder.write(Buffer.alloc(all - 1));
    await expect.poll(() => server.inflightBytes).toBeGreaterThanOrEqual(all - 1);
    const { status, headers } = await post(port, honest);
    expect([status, headers['retry-after']]).toEqual([429, '5']);
    expect(await counted('busy')).toBe(1);
    holder.reset();
    await expect.poll(() => server.inflightBytes).toBe(0);
    expect((await post(port, honest)).status).toBe(202);
    expect(await counted('malformed')).toBe(1);
  });

  it('of announced lengths alone takes no memory', async () => {
    const { port, server } = await startIngest([acme]);
    const flood = Array.from({ length: 50 }, () => new IngestSocket(port));
    for (const sender of flood) sender.head({ 'content-length': 5 * mebibyte });
    await expect.poll(async () => (await post(port, honest)).status).toBe(202);
    expect(server.inflightBytes).toBe(0);
  });
});

describe('a flood of sockets', () => {
  it('without requests keeps no honest sender out', async () => {
    const { port, server } = await startIngest([acme], { maxConnections: 8 });
    const slow = new IngestSocket(port);
    slow.head({ 'content-length': 10 });
    slow.write('12345');
    await expect.poll(() => server.inflightBytes).toBeGreaterThan(0);
    for (let opened = 0; opened < 50; opened += 1) {
      new IngestSocket(port);
      if (opened % 10 === 0) expect((await post(port, honest)).status).toBe(202);
    }
    expect(server.openConnections).toBeLessThanOrEqual(8);
    // It was under way. Idle ones are gone.
    slow.write('67890');
    await expect.poll(() => slow.status).toBe(401);
  });
});

describe('a stall', () => {
  const limits = { maxBodyBytes: 5 * mebibyte, maxInflightBytes: 64 * mebibyte };
  const size = 5 * mebibyte - 1;

  it('of many large bodies with invented signatures refuses no honest webhook, from any address', async () => {
    const { port, server, kept } = await startIngest([acme], { limits });
    const stalled = Array.from({ length: 40 }, () => new IngestSocket(port));
    for (const sender of stalled) {
      sender.head({ 'content-length': size });
      sender.write(Buffer.alloc(4 * mebibyte));
    }
    await expect.poll(() => server.inflightBytes).toBeGreaterThanOrEqual(4 * mebibyte);
    for (let i = 0; i < 20; i += 1) expect((await post(port, honest)).status).toBe(202);
    expect(server.inflightBytes).toBeLessThan(8 * mebibyte);
    expect(kept).toHaveLength(20);
  });

  it('of a sender without a token ends when it is below the least speed', async () => {
    const { port, server, counted } = await startIngest([acme], { limits, times: { slowMs: 50 } });
    const sender = new IngestSocket(port);
    sender.head({ 'content-length': size });
    const drip = setInterval(() => sender.write('x'.repeat(10)), 10);
    await expect.poll(() => sender.status).toBe(408);
    clearInterval(drip);
    await sender.closed;
    expect([server.inflightBytes, await counted('too_slow')]).toEqual([0, 1]);
  });

  it('of a sender with a token is tolerated', async () => {
    const connection: Hinted = { name: 'jobs', snsTopics: new Set() };
    const token = 'pr0ducer-0123456789';
    const others = senders({
      connections: [connection],
      tokens: [{ name: 'a', token, connections: ['jobs'] }],
    });
    const { port, server, counted } = await startIngest([], {
      others,
      times: { slowMs: 10, headMs: 300, requestMs: 300, checkMs: 20 },
    });
    const sender = new IngestSocket(port);
    sender.write(
      `POST /ingest/hint/jobs HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-length: 1000\r\n\r\nxx`,
    );
    await expect.poll(() => server.inflightBytes).toBeGreaterThan(0);
    await sender.closed;
    expect(await counted('too_slow', 'hint')).toBe(0);
  });
});

describe('keep-alive connections', () => {
  it('with one request each keep no honest sender out, nor close an honest connection', async () => {
    const { port, server, kept } = await startIngest([acme], { maxConnections: 16 });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const kept1 = () => postOn(agent, port, honest.body);
    const first = await kept1();
    for (let round = 0; round < 5; round += 1) {
      const idle = Array.from({ length: 20 }, () => new IngestSocket(port));
      for (const sender of idle) sender.write('OPTIONS /ingest/events/x HTTP/1.1\r\nhost: x\r\n\r\n');
      await expect.poll(() => idle.filter(({ status }) => status === 200).length).toBeGreaterThan(10);
      // On its own connection, and on a new one.
      expect(await kept1()).toEqual(first);
      expect((await post(port, honest)).status).toBe(202);
    }
    expect(server.openConnections).toBeLessThanOrEqual(16);
    expect(kept).toHaveLength(11);
  });
});

describe('a health check of a load balancer', () => {
  it.each(['/', '/healthz', '//healthz/'])('at %s gets 200', async (path) => {
    const { port } = await startIngest([acme]);
    for (const method of ['GET', 'HEAD']) expect((await post(port, { method, path })).status).toBe(200);
    expect((await post(port, { method: 'POST', path })).status).toBe(404);
  });
});

describe('deep or endless JSON', () => {
  const nested = Buffer.alloc(4.9 * mebibyte, '[');

  it('is refused during the transfer if its sender has shown a token, or a topic of SNS', async () => {
    const token = 'pr0ducer-0123456789';
    const others = senders({
      connections: [{ name: 'jobs', snsTopics: new Set() }],
      tokens: [{ name: 'a', token, connections: ['jobs'] }],
    });
    const { port, server, counted } = await startIngest([], { others });
    const heads = {
      events: `authorization: Bearer ${token}\r\ncontent-type: application/json`,
      sns: 'x-amz-sns-message-type: Notification\r\nx-amz-sns-topic-arn: arn:aws:sns:eu-central-1:123456789012:t\r\ncontent-type: text/plain',
    };
    for (const [kind, head] of Object.entries(heads)) {
      const sender = new IngestSocket(port);
      sender.write(
        `POST /ingest/${kind}/jobs HTTP/1.1\r\nhost: x\r\n${head}\r\ncontent-length: 1900000\r\n\r\n`,
      );
      sender.write('['.repeat(1000));
      await expect.poll(() => sender.status).toBe(400);
      expect([server.inflightBytes, await counted('malformed', kind)]).toEqual([0, 1]);
    }
  });

  it('is refused before it is parsed, signed or not', async () => {
    const { port, kept } = await startIngest([acme]);
    const bodies = [nested, Buffer.from(`[${'[],'.repeat(1_600_000)}1]`)];
    for (const body of bodies) {
      const signed = Array.from({ length: 6 }, () => post(port, { body, secret: 's3cret' }));
      const statuses = await Promise.all(signed.map((sent) => sent.then(({ status }) => status)));
      expect(new Set(statuses).size).toBeLessThanOrEqual(2);
      expect(statuses).toContain(400);
      expect((await post(port, { body, headers: forged })).status).toBe(401);
    }
    expect(kept).toEqual([]);
  });
});

describe('a slow sender', () => {
  const times = { headMs: 100, requestMs: 300, checkMs: 20 };

  it('with an unfinished head is closed', async () => {
    const { port } = await startIngest([acme], { times });
    const sender = new IngestSocket(port);
    sender.write('POST /ingest/github HTTP/1.1\r\nx-slow: ');
    const drip = setInterval(() => sender.write('x'), 10);
    await sender.closed;
    clearInterval(drip);
    expect(sender.status).toBe(408);
  });

  it('without any byte is closed', async () => {
    const { port } = await startIngest([acme], { times });
    await new IngestSocket(port).closed;
  });

  it('with an unfinished body is closed, and its memory is free again', async () => {
    const { port, server, counted } = await startIngest([acme], { times });
    const sender = new IngestSocket(port);
    sender.head({ 'content-length': 1000 });
    const drip = setInterval(() => sender.write('x'), 10);
    await expect.poll(() => server.inflightBytes).toBeGreaterThan(0);
    await sender.closed;
    clearInterval(drip);
    await expect.poll(() => server.inflightBytes).toBe(0);
    expect(await counted('malformed')).toBe(1);
    expect((await post(port, honest)).status).toBe(202);
  });
});

describe('the end', () => {
  it('waits only for a webhook under way', async () => {
    const { port, server, kept } = await startIngest([acme]);
    const idle = new IngestSocket(port);
    const slow = new IngestSocket(port);
    slow.head({ 'content-length': 10 });
    slow.write('12345');
    await expect.poll(() => server.inflightBytes).toBeGreaterThan(0);
    const drained = server.drain(60_000);
    await expect(post(port, honest)).rejects.toThrow(/ECONN/);
    slow.write('67890');
    await expect.poll(() => slow.status).toBe(401);
    await drained;
    await Promise.all([idle.closed, slow.closed]);
    expect(kept).toEqual([]);
  });

  it('comes after its limit at the latest', async () => {
    const { port, server } = await startIngest([acme]);
    const slow = new IngestSocket(port);
    slow.head({ 'content-length': 10 });
    slow.write('12345');
    await expect.poll(() => server.inflightBytes).toBeGreaterThan(0);
    await server.drain(20);
    await slow.closed;
    await expect.poll(() => server.inflightBytes).toBe(0);
  });
});

describe('one refused request after the other', () => {
  const refusals = { perSecond: 0.05, burst: 1, mostWaitMs: 60_000 };
  const guess = { body: honest.body, headers: forged };

  it('is answered at a pace, while honest senders go on', async () => {
    const { port } = await startIngest([acme], { refusals });
    expect((await post(port, guess)).status).toBe(401);
    const answered: number[] = [];
    for (let sent = 0; sent < 5; sent += 1)
      post(port, guess).then(
        ({ status }) => answered.push(status),
        () => {},
      );
    expect((await post(port, honest)).status).toBe(202);
    expect(answered).toEqual([]);
  });

  it('does not hold up a sender who is known and says nothing of use', async () => {
    const { port } = await startIngest([acme], { refusals });
    const star = { ...honest, headers: { 'x-github-event': 'star' } };
    const statuses = await Promise.all([star, star, star].map((one) => post(port, one)));
    expect(statuses.map(({ status }) => status)).toEqual([202, 202, 202]);
  });
});

describe('a connection with more events than maxEventsPerSecond', () => {
  it('has its senders wait, then come again, and holds up no other', async () => {
    const other = receiver('other', ['0ther']);
    const { port, log } = await startIngest([acme, other], { limits: { maxEventsPerSecond: 1 } });
    const answers: Posted[] = [];
    for (let sent = 0; sent < 20; sent += 1) {
      post(port, honest).then(
        (answer) => answers.push(answer),
        () => {},
      );
    }
    await expect.poll(() => answers.find(({ status }) => status === 429)).toBeDefined();
    expect(answers.find(({ status }) => status === 429)?.headers['retry-after']).toBe('5');
    const its = { body: JSON.stringify({ action: 'queued', owner: 'other' }), secret: '0ther' };
    expect((await post(port, its)).status).toBe(202);
    expect(JSON.stringify(log.lines)).toContain('maxEventsPerSecond');
  });
});
