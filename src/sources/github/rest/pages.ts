import { ScalerError } from '../../../errors.ts';
import type { Asked } from '../api.ts';
import type { Ask, Client, Page } from './client.ts';

/** 10,000 things of one list. */
const maxPages = 100;
/** How often a list is read again that moved while it was read. */
const maxRereads = 2;

/** A part of a list, and how long GitHub says the whole is. */
export interface Chunk<T> {
  readonly items: readonly T[];
  readonly total: number | undefined;
}

/** Reads pages until `more` says that it is enough. Throws ScalerError `unavailable` for a list without end. */
export async function* pagesOf<T>(
  client: Client,
  ask: Ask<T>,
  signal: AbortSignal,
  limit = maxPages,
): AsyncGenerator<Page<T>, void, undefined> {
  let query = ask.query;
  for (let pages = 0; pages < limit; pages += 1) {
    const page = await client.page({ ...ask, query }, signal);
    yield page;
    if (page.next === undefined || page.next === query) return;
    query = page.next;
  }
  throw new ScalerError(
    'unavailable',
    `GitHub (${client.sender.host}) lists more than ${limit} pages of ${ask.about.what}`,
  );
}

/**
 * All of a list, each thing once. A list that moves while it is read can hide things between two pages: where its
 * length has changed it is read again, and all that was seen counts.
 */
export async function readAll<T extends { readonly id: number }>(
  client: Client,
  ask: Ask<Chunk<T>>,
  signal: AbortSignal,
  limit?: number,
): Promise<Asked<T[]>> {
  const seen = new Map<number, T>();
  let askedAtMs: number | undefined;
  for (let reads = 0; reads <= maxRereads; reads += 1) {
    let first: number | undefined;
    let last: number | undefined;
    for await (const page of pagesOf(client, ask, signal, limit)) {
      askedAtMs ??= page.askedAtMs;
      first ??= page.value.total;
      last = page.value.total;
      for (const item of page.value.items) seen.set(item.id, item);
    }
    if (first === last) break;
  }
  return { value: [...seen.values()], askedAtMs: askedAtMs ?? client.sender.now() };
}
