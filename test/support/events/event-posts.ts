import type { InboundCloudEvent } from '../../../src/sources/inbound.ts';

export const token = 'builds-t0ken-0123456789';

/** `ingest` of a configuration: a free port, and a token for one connection. */
export const ingest = {
  host: '127.0.0.1',
  port: 0,
  tokens: [{ name: 'builds', token, connections: ['builds'] }],
};

/** Posts JSON of a media type to the connection `builds`, text as it is. Resolves with the status. */
export async function postEvents(
  port: number,
  body: unknown,
  type = 'application/cloudevents+json',
): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/ingest/events/builds`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': type },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  await response.arrayBuffer();
  return response.status;
}

/** The event in CloudEvents' JSON format. */
export function structured({ id, source, type, subject, data }: InboundCloudEvent): object {
  return { specversion: '1.0', id, source, type, ...(subject === undefined ? {} : { subject }), data };
}

/** An event of an invented sender. */
export function workEvent(word: 'requested' | 'done', subject: string, backlog = 'work'): object {
  const type = `com.example.${backlog}.${word}`;
  return { specversion: '1.0', id: `${subject}-${word}`, source: '/work', type, subject };
}

export const workItems = [
  { backlog: 'work', type: 'com.example.work.requested', state: 'queued', key: 'subject' },
  { backlog: 'work', type: 'com.example.work.done', state: 'finished', key: 'subject' },
];
