import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Sink, type SinkOptions } from '../../../src/decisions/sink.ts';
import { decisionWith } from '../../support/decision.ts';
import { DecisionSink, status } from '../../support/decision-sink.ts';
import { recordingLog } from '../../support/recording-log.ts';

const wait = { timeout: 15_000, interval: 20 };

async function server(port = 0): Promise<DecisionSink> {
  const started = await DecisionSink.start(port);
  onTestFinished(() => started.stop());
  return started;
}

function sinkTo(url: string, more: Partial<SinkOptions> = {}) {
  const log = recordingLog();
  const sent = { accepted: 0, refused: 0, failed: 0 };
  const count = { dropped: 0 };
  const options = {
    url,
    token: undefined,
    maxQueued: 100,
    batchSize: 10,
    flushMs: 10,
    timeoutMs: 5_000,
    ...more,
  };
  const sink = new Sink(options, {
    log,
    onSent: (outcome, decisions) => {
      sent[outcome] += decisions;
    },
    onDropped: (decisions) => {
      count.dropped += decisions;
    },
  });
  onTestFinished(() => sink.close(0));
  /** Decisions of triggers named by these numbers. */
  const take = (from: number, to: number): void => {
    for (let i = from; i <= to; i += 1) sink.take(decisionWith({}, `so-${i}`));
  };
  const lines = () => log.lines.map(({ level, message }) => `${level}: ${message}`);
  return { sink, take, options, sent, count, log, lines };
}

const names = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `shop/so-${from + i}`);
const subjects = (receiver: DecisionSink) => receiver.events.map(({ subject }) => subject);
const ids = (receiver: DecisionSink) => receiver.events.map(({ id }) => id);

describe('posting', () => {
  it('sends all decisions within flushMs as one batch of CloudEvents, with the token', async () => {
    const receiver = await server();
    const { take, sent } = sinkTo(receiver.url, { token: 'open-sesame' });
    take(1, 7);
    await vi.waitFor(() => expect(sent.accepted).toBe(7), wait);
    expect(receiver.requests).toHaveLength(1);
    expect(receiver.requests[0]).toMatchObject({
      url: '/decisions',
      headers: {
        'content-type': 'application/cloudevents-batch+json',
        authorization: 'Bearer open-sesame',
      },
    });
    expect(subjects(receiver)).toEqual(names(1, 7));
    expect(new Set(ids(receiver)).size).toBe(7);
  });

  it('keeps the order over batches, one request at a time, and does not wait once a batch is full', async () => {
    const receiver = await server();
    receiver.behave = [(response) => setTimeout(() => response.writeHead(202).end(), 20)];
    const { sink, take, sent } = sinkTo(receiver.url, { flushMs: 3_600_000, maxQueued: 1_000 });
    take(1, 95);
    await vi.waitFor(() => expect(sent.accepted).toBe(90), wait);
    await sink.close(5_000);
    expect(subjects(receiver)).toEqual(names(1, 95));
    expect(receiver.requests.map(({ events }) => events.length)).toEqual([...Array(9).fill(10), 5]);
    expect(receiver.mostUnderWay).toBe(1);
  });

  it('sends no authorization without a token', async () => {
    const receiver = await server();
    const { take, sent } = sinkTo(receiver.url);
    take(1, 1);
    await vi.waitFor(() => expect(sent.accepted).toBe(1), wait);
    expect(receiver.requests[0]?.headers.authorization).toBeUndefined();
  });
});

describe('a sink that fails', () => {
  it.each([500, 401, 302])('gets the same again after %d, logged once', async (code) => {
    const receiver = await server();
    receiver.behave = [status(code), status(code), status(202)];
    const { take, sent, lines, count } = sinkTo(receiver.url, { batchSize: 3 });
    take(1, 5);
    await vi.waitFor(() => expect(sent.accepted).toBe(5), wait);
    expect(subjects(receiver)).toEqual([...names(1, 3), ...names(1, 3), ...names(1, 5)]);
    expect(new Set(ids(receiver)).size).toBe(5);
    expect({ sent, count }).toEqual({ sent: { accepted: 5, refused: 0, failed: 6 }, count: { dropped: 0 } });
    expect(lines()).toEqual([
      'warn: decisions cannot be posted; they wait and are tried again',
      'info: decisions are posted again',
    ]);
  });

  it('is left alone as long as its 429 says', async () => {
    const receiver = await server();
    receiver.behave = [status(429, { 'retry-after': '2' }), status(202)];
    const { take, sent } = sinkTo(receiver.url);
    take(1, 1);
    await vi.waitFor(() => expect(sent.failed).toBe(1), wait);
    take(2, 40);
    await vi.waitFor(() => expect(sent.accepted).toBe(40), wait);
    const [first, second] = receiver.requests;
    // Without the header the next attempt would have come after at most 1.2 s.
    expect(Number(second?.atMs) - Number(first?.atMs)).toBeGreaterThan(1_900);
  });

  it('may be down and come back', async () => {
    const first = await DecisionSink.start();
    const { port, url } = first;
    await first.stop();
    const { take, sent, log } = sinkTo(url);
    take(1, 25);
    await vi.waitFor(() => expect(sent.failed).toBeGreaterThan(0), wait);
    const receiver = await server(port);
    await vi.waitFor(() => expect(sent.accepted).toBe(25), wait);
    expect(subjects(receiver)).toEqual(names(1, 25));
    expect(log.lines[0]?.fields).toMatchObject({ error: 'cannot be reached (ECONNREFUSED)' });
  });

  // On a busy machine later answers may miss this timeout too: then there are more tries.
  it('that hangs is given up in time and tried again', async () => {
    const receiver = await server();
    receiver.behave = [() => {}, status(202)];
    const { take, sent, log } = sinkTo(receiver.url, { timeoutMs: 100 });
    take(1, 3);
    await vi.waitFor(() => expect(sent.accepted).toBe(3), wait);
    expect(subjects(receiver).slice(0, 6)).toEqual([...names(1, 3), ...names(1, 3)]);
    expect(receiver.mostUnderWay).toBe(1);
    expect(log.lines[0]?.fields).toMatchObject({ error: 'does not answer within 100 ms' });
  });

  it.each<[string, DecisionSink['behave'][number]]>([
    ['is missing', (response) => response.writeHead(202).write('go')],
    ['never ends', (response) => response.writeHead(200).write('x'.repeat(1_000_000))],
  ])('has accepted them if only the rest of every answer %s', async (_, behave) => {
    const receiver = await server();
    receiver.behave = [behave];
    const { take, sent } = sinkTo(receiver.url, { timeoutMs: 100, batchSize: 2 });
    take(1, 4);
    await vi.waitFor(() => expect(sent.accepted).toBe(4), wait);
    expect(sent.refused).toBe(0);
    expect([...new Set(subjects(receiver))]).toEqual(names(1, 4));
  });

  it.each([400, 413, 415, 422])('that refuses them (%d) gets the next ones', async (code) => {
    const receiver = await server();
    receiver.behave = [status(code), status(202)];
    const { take, sent, lines } = sinkTo(receiver.url, { batchSize: 2 });
    take(1, 4);
    await vi.waitFor(() => expect(sent).toEqual({ accepted: 2, refused: 2, failed: 0 }), wait);
    expect(subjects(receiver)).toEqual(names(1, 4));
    expect(lines()).toEqual([
      'warn: the sink does not take these decisions; they are dropped',
      'info: decisions are posted again',
    ]);
  });
});

describe('bounds', () => {
  it('the oldest are dropped and counted, and their IDs are missing', async () => {
    const receiver = await server();
    receiver.behave = [status(503), status(202)];
    const { take, sent, count, lines } = sinkTo(receiver.url, { maxQueued: 10 });
    take(1, 10);
    await vi.waitFor(() => expect(sent.failed).toBe(10), wait);
    take(11, 25);
    expect(count.dropped).toBe(15);
    await vi.waitFor(() => expect(sent.accepted).toBe(10), wait);
    expect(subjects(receiver).slice(10)).toEqual(names(16, 25));
    expect(ids(receiver).map((id) => Number(id.split('-').at(-1)))).toEqual([
      ...Array.from({ length: 10 }, (_, i) => 1 + i),
      ...Array.from({ length: 10 }, (_, i) => 16 + i),
    ]);
    expect(lines()[1]).toBe('warn: too many decisions wait; the oldest are dropped');
  });

  it('no secret of its address, token or answer is logged', async () => {
    const receiver = await server();
    receiver.behave = [status(401), status(400), status(202)];
    const { take, sent, log } = sinkTo(`${receiver.url}/hidden?key=hidden`, {
      token: 'hidden',
      batchSize: 1,
    });
    take(1, 2);
    await vi.waitFor(() => expect(sent.accepted).toBe(1), wait);
    expect(log.lines).toHaveLength(3);
    expect(JSON.stringify(log.lines)).not.toContain('hidden');
    for (const { fields } of log.lines) expect(fields).toMatchObject({ sink: new URL(receiver.url).origin });
  });
});

describe('the end', () => {
  it('posts the waiting decisions', async () => {
    const receiver = await server();
    const { sink, take, count } = sinkTo(receiver.url, { flushMs: 3_600_000 });
    take(1, 9);
    await sink.close(5_000);
    expect(subjects(receiver)).toEqual(names(1, 9));
    expect(count.dropped).toBe(0);
  });

  it('posts those that wait behind a request under way, without waiting for a full batch', async () => {
    const receiver = await server();
    receiver.behave = [(response) => setTimeout(() => response.writeHead(202).end(), 50)];
    const { sink, take } = sinkTo(receiver.url, { flushMs: 3_600_000 });
    take(1, 15);
    await vi.waitFor(() => expect(receiver.requests).toHaveLength(1), wait);
    await sink.close(5_000);
    expect(subjects(receiver)).toEqual(names(1, 15));
  });

  it('tries a failing sink again', async () => {
    const receiver = await server();
    receiver.behave = [status(503), status(202)];
    const { sink, take } = sinkTo(receiver.url, { flushMs: 3_600_000 });
    take(1, 2);
    await sink.close(5_000);
    expect(subjects(receiver)).toEqual([...names(1, 2), ...names(1, 2)]);
  });

  it('comes at its limit, and the rest is counted and logged', async () => {
    const receiver = await server();
    receiver.behave = [() => {}];
    const { sink, take, count, log } = sinkTo(receiver.url);
    take(1, 25);
    await vi.waitFor(() => expect(receiver.requests).toHaveLength(1), wait);
    await sink.close(50);
    expect(count.dropped).toBe(25);
    expect(log.lines).toMatchObject([
      {
        level: 'warn',
        message: 'these decisions could not be posted before the end',
        fields: { decisions: 25 },
      },
    ]);
  });

  it('is immediate if nothing waits', async () => {
    const { sink } = sinkTo('http://127.0.0.1:1/');
    await sink.close(3_600_000);
  });
});

it('a changed address or token is used at once for waiting decisions', async () => {
  const before = await server();
  before.behave = [status(401, { 'retry-after': '300' })];
  const after = await server();
  const { sink, take, options, sent } = sinkTo(before.url, { token: 'old' });
  take(1, 3);
  await vi.waitFor(() => expect(sent.failed).toBe(3), wait);
  sink.use({ ...options, url: after.url, token: 'new' });
  await vi.waitFor(() => expect(sent.accepted).toBe(3), wait);
  expect(after.requests[0]?.headers.authorization).toBe('Bearer new');
  expect(subjects(after)).toEqual(names(1, 3));
});
