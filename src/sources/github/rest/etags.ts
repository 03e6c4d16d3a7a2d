import { LRUCache } from 'lru-cache';

const maxBytes = 16 * 1024 * 1024;
/** For the entry itself, its path and its ETag. */
const entryBytes = 300;

export interface Kept<T> {
  readonly value: T;
  /** The query of the next page. */
  readonly next: string | undefined;
  readonly etag: string;
}

interface Entry<T> extends Kept<T> {
  readonly generation: number;
}

/**
 * Answers by path, to be asked for again by their ETag: a 304 does not count against the hourly limit. An ETag holds
 * for the token that got it. The least used go first.
 */
export class Etags<T> {
  private readonly entries: LRUCache<string, Entry<T>>;

  constructor(limits = { maxBytes }) {
    this.entries = new LRUCache({ maxSize: limits.maxBytes });
  }

  /** What the same path gave to the same token. */
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
