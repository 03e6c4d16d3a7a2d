import { setTimeout as sleep } from 'node:timers/promises';
import { type Backlog, type Ingest, names, type Place, type Surroundings } from './place.ts';

export const connection = 'builds';
/** The token of a tenant who means harm to the others. */
export const tenant = 'tenant';
const boundMs = 3000;
const againAfterMs = 250;
const answerLimitMs = 3000;
const mostBacklogs = 10;

export interface EventsOptions {
  /** How long items stay open, and how long finished ones are remembered. */
  readonly ttlSeconds: number;
  /** Of the triggers. */
  readonly maxStalenessSeconds: number;
}

/** A sender of CloudEvents. It sends its work items again and again until they are acknowledged. */
export class EventsPlace implements Place {
  private readonly surroundings: Surroundings;
  private readonly options: EventsOptions;
  private readonly over = new AbortController();

  constructor(surroundings: Surroundings, options: EventsOptions) {
    this.surroundings = surroundings;
    this.options = options;
  }

  async connections() {
    const items = names('builds', mostBacklogs).flatMap((backlog) => [
      { backlog, type: typeOf(backlog, 'requested'), state: 'queued', key: 'subject' },
      { backlog, type: typeOf(backlog, 'done'), state: 'finished', key: 'subject' },
    ]);
    const others = [{ backlog: 'work', type: 'com.example.work.*', state: 'queued', key: 'subject' }];
    return {
      [connection]: { source: 'events', ttlSeconds: this.options.ttlSeconds, items },
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
    const items = new Map<string, 'beginning' | 'open' | 'ending'>();
    let sent = 0;
    const say = () => {
      const least = [...items.values()].filter((state) => state === 'open').length;
      tell(backlog, { least, most: items.size });
    };
    /** Resolves when a pod has it. What only a pod has that is cut off, the others may count or not until it is no longer. */
    const post = async (word: Word, subjects: readonly string[], known: () => void) => {
      const heard = (await this.post(backlog, word, subjects)).heard();
      if (heard === undefined) known();
      else void heard.then(known);
    };
    return {
      subject: { name: backlog, boundMs, maxStalenessMs: this.options.maxStalenessSeconds * 1000 },
      reference: {
        name: `${backlog}-worker`,
        namespace: 'chaos',
        scalerMetadata: {
          source: 'events',
          connection,
          backlog,
          targetItems: '1',
          maxStalenessSeconds: String(this.options.maxStalenessSeconds),
        },
      },
      async grow(count) {
        const subjects = Array.from({ length: count }, () => `${backlog}-${sent++}`);
        for (const subject of subjects) items.set(subject, 'beginning');
        say();
        await post('requested', subjects, () => {
          for (const subject of subjects) if (items.get(subject) === 'beginning') items.set(subject, 'open');
          say();
        });
      },
      async empty() {
        const done = [...items.keys()].filter((subject) => items.get(subject) !== 'ending');
        for (const subject of done) items.set(subject, 'ending');
        say();
        if (done.length === 0) return;
        await post('done', done, () => {
          for (const subject of done) items.delete(subject);
          say();
        });
      },
    };
  }

  private async post(backlog: string, word: Word, subjects: readonly string[]): Promise<Ingest> {
    const events = subjects.map((subject) => ({
      specversion: '1.0',
      id: `${subject}-${word}`,
      source: '/chaos',
      type: typeOf(backlog, word),
      subject,
    }));
    const body = JSON.stringify(events);
    const { signal } = this.over;
    for (;;) {
      const ingest = this.surroundings.nextIngest();
      if (await this.isTaken(ingest.url, body)) return ingest;
      await sleep(againAfterMs, undefined, { signal });
    }
  }

  /** Anything but a 202 is no promise. */
  private async isTaken(ingestUrl: string, body: string): Promise<boolean> {
    const { token } = this.surroundings;
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
