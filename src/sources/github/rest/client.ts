import type { z } from 'zod';
import { ScalerError } from '../../../errors.ts';
import type { Auth } from './auth.ts';
import type { About } from './errors.ts';
import type { Etags } from './etags.ts';
import type { Answer } from './exchange.ts';
import { readJson } from './read-json.ts';
import type { Call, Credential, Sender, Sent } from './sender.ts';

/** Who a request is made as: the App by its key, or whoever may read what belongs to an owner. */
export type As = 'app' | { readonly owner: string };

export interface Ask<T> {
  /** What the metrics call it. */
  readonly operation: string;
  readonly as: As;
  readonly path: string;
  /** Without the `?`. */
  readonly query?: string | undefined;
  readonly schema: z.ZodType<T>;
  readonly about: About;
  /** Keeps answers to be asked for by their ETag. */
  readonly etags?: Etags<T>;
}

export interface Page<T> {
  readonly value: T;
  /** The query of the page after this one. */
  readonly next: string | undefined;
  /** By our clock. */
  readonly askedAtMs: number;
}

/** Asks GitHub one thing at a time, as who may ask it. */
export class Client {
  readonly sender: Sender;
  readonly auth: Auth;
  private readonly serial = new Serial();

  constructor(sender: Sender, auth: Auth) {
    this.sender = sender;
    this.auth = auth;
  }

  /** Reads one page. Throws ScalerError. */
  page<T>(ask: Ask<T>, signal: AbortSignal): Promise<Page<T>> {
    const { operation, path: base, query, about, etags, schema } = ask;
    const path = query === undefined ? base : `${base}?${query}`;
    return this.serial.run(async () => {
      const { credential, sent } = await this.signed(
        ask.as,
        (signedBy) => {
          const etag = etags?.get(path, signedBy.generation)?.etag;
          return { method: 'GET', operation, path, about, etag };
        },
        signal,
      );
      const { answer, sentAtMs: askedAtMs } = sent;
      const kept = answer.status === 304 ? etags?.get(path, credential.generation) : undefined;
      if (kept !== undefined) return { value: kept.value, next: kept.next, askedAtMs };
      const value = readJson(answer.text, schema, about, this.sender.host);
      const next = nextQuery(answer.headers.get('link'));
      const etag = answer.headers.get('etag');
      if (etag !== null) etags?.set(path, credential.generation, { value, next, etag });
      return { value, next, askedAtMs };
    }, signal);
  }

  /** Asks GitHub to do something. Throws ScalerError. */
  async post(call: Omit<Call, 'method'> & { as: As }, signal: AbortSignal): Promise<Answer> {
    const { as, ...rest } = call;
    const turn = () => this.signed(as, () => ({ ...rest, method: 'POST' }), signal);
    return (await this.serial.run(turn, signal)).sent.answer;
  }

  /** The App's installation on an owner, asked for where need be; undefined without an App. */
  installationOf(owner: string, signal: AbortSignal): Promise<number | undefined> {
    return this.serial.run(() => this.auth.installationOf(owner, signal), signal);
  }

  private async signed(
    as: As,
    call: (credential: Credential) => Call,
    signal: AbortSignal,
  ): Promise<{ credential: Credential; sent: Sent }> {
    let credential = await this.credential(as, signal);
    const sent = await this.sender.ask(call(credential), credential, signal);
    if (sent.answer.status !== 401 || !this.auth.renew(credential)) {
      return { credential, sent: this.sender.accept(sent, call(credential), credential) };
    }
    credential = await this.credential(as, signal);
    return { credential, sent: await this.sender.send(call(credential), credential, signal) };
  }

  private async credential(as: As, signal: AbortSignal): Promise<Credential> {
    if (as !== 'app') return this.auth.forOwner(as.owner, signal);
    if (this.auth.app === undefined) throw new ScalerError('internal', 'only a GitHub App may ask this');
    return this.auth.app;
  }
}

/** One caller asks one thing after the other, so that few ever wait. */
const maxWaiting = 1_000;

/** Runs tasks one at a time, in the order they came. */
export class Serial {
  private tail: Promise<unknown> = Promise.resolve();
  private waiting = 0;

  /** Throws ScalerError `exhausted` when too many wait, and `unavailable` when `signal` aborts before its turn. */
  run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.waiting >= maxWaiting) {
      return Promise.reject(
        new ScalerError('exhausted', `more than ${maxWaiting} requests to GitHub are waiting for their turn`),
      );
    }
    this.waiting += 1;
    const turn = this.tail.then(() => {
      if (signal.aborted) throw new ScalerError('unavailable', 'the request was cancelled');
      return task();
    });
    this.tail = turn
      .catch(() => {})
      .finally(() => {
        this.waiting -= 1;
      });
    return turn;
  }
}

/**
 * The query of the next page, by RFC 8288's `Link`. Only the query: path and host are ours, so that no header can
 * send our credentials elsewhere.
 */
export function nextQuery(link: string | null): string | undefined {
  for (const part of (link ?? '').split(',')) {
    const match = /^\s*<([^<>]*)>(.*)$/.exec(part);
    if (match === null || !/;\s*rel="?next"?\s*(;|$)/i.test(match[2] ?? '')) continue;
    const query = (match[1] ?? '').split('?')[1];
    if (query !== undefined && query !== '') return query;
  }
  return undefined;
}
