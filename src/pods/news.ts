import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { fromJson } from '../errors.ts';
import { natsFault } from '../outbound/nats.ts';
import type { Logger } from '../telemetry/log.ts';
import type { NatsLink, Up } from './link.ts';

/** The least time between two messages. The first one goes at once. */
const restMs = 10;
/** The most news that wait, and that a message has. Further ones are dropped, which costs only latency. */
const mostNews = 1_000;
/** The most characters of a message. NATS takes a megabyte. */
const mostCharacters = 262_144;

const message = z.object({ from: z.string(), news: z.array(z.unknown()).max(mostNews) });

export interface PodNewsOptions<T> {
  readonly link: NatsLink;
  readonly natsSubject: string;
  /** News that it refuses are dropped: another version, or somebody else, has sent them. */
  readonly schema: z.ZodType<T>;
  /** Of waiting news with the same key only the newest are sent. */
  readonly keyOf: (news: T) => string;
  /** News of another pod. */
  readonly take: (news: T) => void;
  readonly log: Logger;
}

/**
 * News of one kind to and from the other pods. They are not stored: a lost one costs only latency. The first goes out at
 * once. Those that come while a message is on its way, or just after, share the next message.
 */
export class PodNews<T> {
  private readonly options: PodNewsOptions<T>;
  private readonly self = randomUUID();
  /** JSON by key. */
  private readonly waiting = new Map<string, string>();
  private sending = false;

  constructor(options: PodNewsOptions<T>) {
    this.options = options;
    const { link, natsSubject, log } = options;
    const refused = (error: string, subject: string): void =>
      log.error(
        { error, subject },
        'what other pods tell does not come: let the user of NATS subscribe to the subject',
      );
    link.listen(natsSubject, (received) => this.take(received.string()), refused);
  }

  /** Whether NATS is connected. */
  get reachable(): boolean {
    return this.options.link.up !== undefined;
  }

  /** Returns whether the news will be sent. */
  tell(news: T): boolean {
    const { up } = this.options.link;
    if (up === undefined) return false;
    const key = this.options.keyOf(news);
    if (this.waiting.size >= mostNews && !this.waiting.has(key)) return false;
    this.waiting.set(key, JSON.stringify(news));
    if (!this.sending) void this.send(up);
    return true;
  }

  private async send({ connection, signal }: Up): Promise<void> {
    const { natsSubject, log } = this.options;
    this.sending = true;
    try {
      while (this.waiting.size > 0 && !signal.aborted) {
        connection.publish(natsSubject, this.next());
        // When the server answers this, it has the message.
        await connection.flush();
        await sleep(restMs);
      }
    } catch (reason) {
      log.debug({ error: natsFault(reason), subject: natsSubject }, 'the other pods were not told');
    } finally {
      // By the time NATS is back, these would be old.
      this.waiting.clear();
      this.sending = false;
    }
  }

  private next(): string {
    const texts: string[] = [];
    let characters = 0;
    for (const [key, text] of this.waiting) {
      characters += text.length;
      if (texts.length > 0 && characters > mostCharacters) break;
      texts.push(text);
      this.waiting.delete(key);
    }
    return `{"from":"${this.self}","news":[${texts.join()}]}`;
  }

  private take(text: string): void {
    const { from, news } = message.safeParse(fromJson(text)).data ?? {};
    if (from === this.self) return;
    for (const one of news ?? []) {
      const { data } = this.options.schema.safeParse(one);
      if (data !== undefined) this.options.take(data);
    }
  }
}
