import { sendersOf, type Token } from '../../src/ingest/senders.ts';
import { binary, type EventRequest, example } from './cloudevents.ts';
import { cloudEventsSource } from './cloudevents-source.ts';
import { hintSource, QueueService } from './hint-source.ts';
import { type IngestOptions, type Post, post, startIngest } from './ingest.ts';

const tokens: readonly Token[] = [
  { name: 'ci', token: 'ci-t0ken-0123456789', connections: ['builds', 'jobs'] },
  { name: 'shop', token: 'shop-t0ken-0123456789', connections: ['jobs'] },
];

/** `builds` takes CloudEvents as facts, of types `work.started` and `work.finished`. For `jobs` they are hints. */
export async function startEvents(options: IngestOptions = {}) {
  const connections = [
    { name: 'builds', source: cloudEventsSource, config: { prefix: 'work' } },
    { name: 'jobs', source: hintSource, config: new QueueService() },
  ];
  const running = await startIngest([], { ...options, others: sendersOf(connections, tokens) });
  const counted = (outcome: string) => running.counted(outcome, 'events');
  return { ...running, counted };
}

export const authorized = { authorization: 'Bearer ci-t0ken-0123456789' };

/** Sends a request with events. By default with the token for both connections. */
export function send(port: number, path: string, { headers, body }: EventRequest, more: Post = {}) {
  const all = { ...authorized, ...headers, ...more.headers };
  return post(port, { path: `/ingest/events/${path}`, body, ...more, headers: all });
}

/** A fact for the ledger behind `builds`, in binary mode. */
export const started: EventRequest = binary({ 'ce-type': 'work.started' });

/** This many such facts, in one batch. */
export function startedBatch(count: number): EventRequest {
  const events = Array.from({ length: count }, (_, index) => ({
    ...example,
    type: 'work.started',
    source: `/item/${index}`,
    id: `${index}`,
  }));
  return {
    headers: { 'content-type': 'application/cloudevents-batch+json' },
    body: JSON.stringify(events),
  };
}
