/** An event as it is stored: in which place, and its text. */
export interface Entry {
  readonly sequence: number;
  readonly text: string;
}

/** What the durable log needs of a store. Sequences are whole numbers from 1; every call can reject with any error. */
export interface EventStore {
  /** Rejects with ScalerError, which says what to do. Can be called again after `close`. */
  open(): Promise<void>;
  /** All of them or none; they are on the disk when this resolves. */
  put(entries: readonly Entry[]): Promise<void>;
  /** Takes entries away and says in the same write since when all are there, in ms since 1970. */
  remove(sequences: readonly number[], keptSinceMs: number): Promise<void>;
  /** Those after one sequence and up to another, as they are now, in their order, some at a time. */
  read(after: number, upTo: number): AsyncIterable<readonly Entry[]>;
  /** The last sequence there is; 0: none. */
  last(): Promise<number>;
  /** What `remove` last said; 0: nothing was ever removed. */
  keptSinceMs(): Promise<number>;
  close(): Promise<void>;
}
