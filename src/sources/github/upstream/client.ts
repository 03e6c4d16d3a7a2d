import { LRUCache } from 'lru-cache';
import type { z } from 'zod';
import { ScalerError } from '../../../errors.ts';
import type { Dated } from './api.ts';
import type { Auth } from './auth.ts';
import { type About, readJson, statusOf } from './errors.ts';
import type { Call, Credential, Sent, Wire } from './wire.ts';

/** Who sends a request: the App with its key, or the reader of an owner's data. */
export type As = 'app' | { readonly owner: string };

export interface Ask<T> {
  /** Its name in the metrics. */
  readonly operation: string;
  readonly as: As;
  readonly path: string;
  /** Without the `?`. */
  readonly query?: string | undefined;
  /** Always the same for a path. */
  readonly schema: z.ZodType<T>;
  readonly about: About;
  /** The path is never requested again, so keeping its answer would only push others out. */
  readonly once?: boolean;
}

export interface Page<T> {
  readonly value: T;
  /** The query of the next page. */
  readonly next: string | undefined;
  /** By our clock. */
  readonly askedAtMs: number;
  /** GitHub redirected the request to another address. */
  readonly moved: boolean;
}

/** A part of a list, and the length of the whole by GitHub. */
export interface Chunk<T> {
  readonly items: readonly T[];
  readonly total: number | undefined;
}

/** At most 10,000 members of a list. */
const maxPages = 100;
/** How often a list that changed during the read is read again. */
const maxRereads = 2;
/** GitHub's largest page. It may fail (502) over such a page of a single repository or run. */
export const largestPage = 100;
const smallestPage = 25;
/** How long to remember which lists need smaller pages, and how small. */
const smallerForMs = 3_600_000;
const maxSmaller = 10_000;

/** Sends one request at a time, with the right credentials: for a page, for a list of pages, or for a change. */
export class Client {
  readonly wire: Wire;
  readonly auth: Auth;
  private readonly etags = new Etags<unknown>();
  /** By path. */
  private readonly pageSizes: LRUCache<string, number>;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(wire: Wire, auth: Auth) {
    const perf = { now: () => wire.now() };
    this.wire = wire;
    this.auth = auth;
    this.pageSizes = new LRUCache({ max: maxSmaller, ttl: smallerForMs, ttlResolution: 0, perf });
  }

  /** Reads one page, with its ETag if known. Throws ScalerError. */
  page<T>(
    { operation, as, path: base, query, about, schema, once = false }: Ask<T>,
    signal: AbortSignal,
  ): Promise<Page<T>> {
    const path = query === undefined ? base : `${base}?${query}`;
    return this.inTurn(async () => {
      const { credential, sent } = await this.signed(
        as,
        (by) => {
          const etag = this.etags.get(path, by.generation)?.etag;
          return { method: 'GET', operation, path, about, etag };
        },
        signal,
      );
      const { answer, sentAtMs: askedAtMs, redirected: moved } = sent;
      const kept = answer.status === 304 ? this.etags.get(path, credential.generation) : undefined;
      // A path is always read by the same schema.
      if (kept !== undefined) return { value: kept.value as T, next: kept.next, askedAtMs, moved };
      const value = readJson(answer.text, schema, about, this.wire.host);
      const next = nextQuery(answer.headers.get('link'));
      const etag = answer.headers.get('etag');
      if (etag !== null && !once) this.etags.set(path, credential.generation, { value, next, etag });
      return { value, next, askedAtMs, moved };
    }, signal);
  }

  /** Reads pages until its reader stops. Throws ScalerError `unavailable` if the list does not end. */
  async *pages<T>(
    ask: Ask<T>,
    signal: AbortSignal,
    limit = maxPages,
  ): AsyncGenerator<Page<T>, void, undefined> {
    let { query } = ask;
    for (let pages = 0; pages < limit; pages += 1) {
      const page = await this.page({ ...ask, query }, signal);
      yield page;
      if (page.next === undefined) return;
      if (page.next === query) break;
      query = page.next;
    }
    const text = `lists more than ${limit} pages of ${ask.about.what}, or one again and again`;
    throw new ScalerError('unavailable', `GitHub (${this.wire.host}) ${text}`);
  }

  /**
   * The whole list, each member once. A list that changes during the read can hide members between two pages. If its
   * length has changed it is read again, and every member seen counts.
   */
  async list<T extends { readonly id: number }>(
    ask: Ask<Chunk<T>>,
    signal: AbortSignal,
  ): Promise<Dated<T[]> & { readonly moved: boolean }> {
    const seen = new Map<number, T>();
    let askedAtMs: number | undefined;
    let moved = false;
    for (let reads = 0; reads <= maxRereads; reads += 1) {
      let first: number | undefined;
      let last: number | undefined;
      for (const page of await this.wholeList(ask, signal)) {
        askedAtMs ??= page.askedAtMs;
        moved ||= page.moved;
        first ??= page.value.total;
        last = page.value.total;
        for (const item of page.value.items) seen.set(item.id, item);
      }
      if (first === last) break;
    }
    return { value: [...seen.values()], askedAtMs: askedAtMs ?? this.wire.now(), moved };
  }

  /** The first page of a list, which may be the whole list. */
  firstPage<T>(ask: Ask<T>, signal: AbortSignal): Promise<Page<T>> {
    return this.sized(ask, (sized) => this.page(sized, signal));
  }

  /** Sends a request that changes something. Throws ScalerError. */
  async post(call: Omit<Call, 'method'> & { as: As }, signal: AbortSignal): Promise<void> {
    const { as, ...rest } = call;
    await this.inTurn(() => this.signed(as, () => ({ ...rest, method: 'POST' }), signal), signal);
  }

  /** The App's installation on an owner. It may take a request. Undefined without an App. */
  installationOf(owner: string, signal: AbortSignal): Promise<number | undefined> {
    return this.inTurn(() => this.auth.installationOf(owner, signal), signal);
  }

  private wholeList<T>(ask: Ask<T>, signal: AbortSignal): Promise<Page<T>[]> {
    return this.sized(ask, async (sized) => {
      const pages: Page<T>[] = [];
      for await (const page of this.pages(sized, signal)) pages.push(page);
      return pages;
    });
  }

  /** If a gateway of GitHub fails over a page, reads the list again in smaller pages. */
  private async sized<T, R>(ask: Ask<T>, read: (sized: Ask<T>) => Promise<R>): Promise<R> {
    const { path, query = '' } = ask;
    for (let size = this.pageSizes.get(path) ?? largestPage; ; size = Math.floor(size / 2)) {
      try {
        const answer = await read({ ...ask, query: `${query}${query === '' ? '' : '&'}per_page=${size}` });
        if (size < largestPage) this.pageSizes.set(path, size);
        return answer;
      } catch (reason) {
        const status = statusOf(reason);
        if ((status !== 502 && status !== 504) || size <= smallestPage) throw reason;
      }
    }
  }

  private async signed(
    as: As,
    call: (credential: Credential) => Call,
    signal: AbortSignal,
  ): Promise<{ credential: Credential; sent: Sent }> {
    const credential = await this.credential(as, signal);
    try {
      return { credential, sent: await this.wire.send(call(credential), credential, signal) };
    } catch (reason) {
      // The token was revoked. Try once more, with a new one.
      if (statusOf(reason) !== 401 || !this.auth.renew(credential)) throw reason;
    }
    return this.signed(as, call, signal);
  }

  private async credential(as: As, signal: AbortSignal): Promise<Credential> {
    if (as !== 'app') return this.auth.forOwner(as.owner, signal);
    if (this.auth.app === undefined) throw new ScalerError('internal', 'only a GitHub App may ask this');
    return this.auth.app;
  }

  /** One request after the other, in order of arrival. Callers wait for their answers, so the queue stays short. */
  private inTurn<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const turn = this.turn.then(() => {
      if (signal.aborted) throw new ScalerError('unavailable', 'the request was cancelled');
      return task();
    });
    this.turn = turn.catch(() => {});
    return turn;
  }
}

const maxEtagBytes = 32 * 1024 * 1024;
/** For the entry itself, its path and its ETag. */
const entryBytes = 300;

export interface Kept<T> {
  readonly value: T;
  /** The query of the next page. */
  readonly next: string | undefined;
  readonly etag: string;
}

/**
 * Answers by path, for requests with an ETag: a 304 does not count against the hourly limit. An ETag is valid only for
 * the token that got it. The least used entries go first.
 */
export class Etags<T> {
  private readonly entries: LRUCache<string, Kept<T> & { readonly generation: number }>;

  constructor({ maxBytes = maxEtagBytes } = {}) {
    this.entries = new LRUCache({ maxSize: maxBytes });
  }

  /** The last answer for this path and token. */
  get(path: string, generation: number): Kept<T> | undefined {
    const entry = this.entries.get(path);
    if (entry === undefined || entry.generation === generation) return entry;
    this.entries.delete(path);
    return undefined;
  }

  set(path: string, generation: number, kept: Kept<T>): void {
    const size = entryBytes + 2 * (path.length + (JSON.stringify(kept.value)?.length ?? 0));
    this.entries.set(path, { ...kept, generation }, { size });
  }
}

/**
 * The query of the next page, from the `Link` header (RFC 8288). Only the query is used. Path and host are ours, so that
 * no header can send our credentials elsewhere.
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
