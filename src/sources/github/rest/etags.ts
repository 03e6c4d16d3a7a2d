/** A repository has five pages of runs at least, and each open run its page of jobs. */
const maxEntries = 20_000;
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
  readonly bytes: number;
}

/**
 * Answers by path, to be asked for again by their ETag: a 304 does not count against the hourly limit. An ETag holds
 * for the token that got it. The least used go first.
 */
export class Etags<T> {
  private readonly entries = new Map<string, Entry<T>>();
  private readonly limits: { maxEntries: number; maxBytes: number };
  private bytes = 0;

  constructor(limits = { maxEntries, maxBytes }) {
    this.limits = limits;
  }

  /** What the same path gave to the same token. */
  get(path: string, generation: number): Kept<T> | undefined {
    const entry = this.entries.get(path);
    if (entry === undefined) return undefined;
    if (entry.generation !== generation) {
      this.delete(path);
      return undefined;
    }
    this.entries.delete(path);
    this.entries.set(path, entry);
    return entry;
  }

  set(path: string, generation: number, kept: Kept<T>): void {
    this.delete(path);
    const bytes = entryBytes + 2 * (path.length + (JSON.stringify(kept.value)?.length ?? 0));
    if (bytes > this.limits.maxBytes) return;
    this.entries.set(path, { ...kept, generation, bytes });
    this.bytes += bytes;
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= this.limits.maxEntries && this.bytes <= this.limits.maxBytes) return;
      this.delete(oldest);
    }
  }

  private delete(path: string): void {
    const entry = this.entries.get(path);
    if (entry === undefined) return;
    this.entries.delete(path);
    this.bytes -= entry.bytes;
  }
}
