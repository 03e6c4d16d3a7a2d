import { setTimeout as sleep } from 'node:timers/promises';
import { type Backlog, names, type Place, type Surroundings } from './place.ts';

export const connection = 'builds';
/** The token of a tenant who means harm to the others. */
export const tenant = 'tenant';
const boundMs = 3000;
const maxStalenessSeconds = 4;
const againAfterMs = 250;
const answerLimitMs = 3000;
const mostBacklogs = 10;

/** A sender of CloudEvents. It sends its work items again and again until they are acknowledged. */
export class EventsPlace implements Place {
  private readonly surroundings: Surroundings;
  private readonly ttlSeconds: number;
  private readonly over = new AbortController();

  /** `ttlSeconds` is how long items stay open, and how long finished ones are remembered. */
  constructor(surroundings: Surroundings, ttlSeconds: number) {
    this.surroundings = surroundings;
    this.ttlSeconds = ttlSeconds;
  }

  async connections() {
    const items = names('builds', mostBacklogs).flatMap((backlog) => [
      { backlog, type: typeOf(backlog, 'requested'), state: 'queued', key: 'subject' },
      { backlog, type: typeOf(backlog, 'done'), state: 'finished', key: 'subject' },
    ]);
    const others = [{ backlog: 'work', type: 'com.example.work.*', state: 'queued', key: 'subject' }];
    return {
      [connection]: { source: 'events', ttlSeconds: this.ttlSeconds, items },
      [tenant]: { source: 'events', ttlSeconds: 3600, items: others },
    };
  }

  async make(count: number): Promise<Backlog[]> {
    return names('builds', count).map((backlog) => this.backlog(backlog));
  }

  async close(): Promise<void> {
    this.over.abort();
  }

  private backlog(backlog: string): Backlog {
    const { tell } = this.surroundings;
    let open: string[] = [];
    let sent = 0;
    let [least, most] = [0, 0];
    const say = () => tell(backlog, { least, most });
    const post = (word: Word, subjects: readonly string[]) => this.post(backlog, word, subjects);
    return {
      subject: { name: backlog, boundMs, maxStalenessMs: maxStalenessSeconds * 1000 },
      reference: {
        name: `${backlog}-worker`,
        namespace: 'chaos',
        scalerMetadata: {
          source: 'events',
          connection,
          backlog,
          targetItems: '1',
          maxStalenessSeconds: String(maxStalenessSeconds),
        },
      },
      async grow(items) {
        const subjects = Array.from({ length: items }, () => `${backlog}-${sent++}`);
        most += items;
        say();
        await post('requested', subjects);
        open.push(...subjects);
        least += items;
        say();
      },
      async empty() {
        least = 0;
        say();
        const done = open;
        open = [];
        if (done.length > 0) await post('done', done);
        most = 0;
        say();
      },
    };
  }

  private async post(backlog: string, word: Word, subjects: readonly string[]): Promise<void> {
    const events = subjects.map((subject) => ({
      specversion: '1.0',
      id: `${subject}-${word}`,
      source: '/chaos',
      type: typeOf(backlog, word),
      subject,
    }));
    const body = JSON.stringify(events);
    const { signal } = this.over;
    while (!(await this.isTaken(body))) await sleep(againAfterMs, undefined, { signal });
  }

  /** Anything but a 202 is no promise. */
  private async isTaken(body: string): Promise<boolean> {
    const { ingestUrl, token } = this.surroundings;
    try {
      const response = await fetch(`${ingestUrl}/ingest/events/${connection}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/cloudevents-batch+json',
          connection: 'close',
        },
        body,
        signal: AbortSignal.timeout(answerLimitMs),
      });
      await response.arrayBuffer();
      return response.status === 202;
    } catch {
      return false;
    }
  }
}

type Word = 'requested' | 'done';

function typeOf(backlog: string, word: Word): string {
  return `com.example.${backlog}.${word}`;
}
