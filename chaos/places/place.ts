import type { ScaledObjectRef } from '../../src/grpc/generated/externalscaler/ScaledObjectRef.ts';
import type { Subject, Truth } from '../invariants.ts';

/**
 * A backlog of something real, empty at first, that reports its true size. After a failed change it is unknown whether
 * it happened.
 */
export interface Backlog {
  readonly subject: Subject;
  /** The ScaledObject of this backlog. */
  readonly reference: ScaledObjectRef;
  /** Adds items. Resolves when they are there, or given up. */
  grow(items: number): Promise<void>;
  /** Removes all items. */
  empty(): Promise<void>;
}

/** The home of backlogs: a cluster, a queue service, a GitHub. */
export interface Place {
  /** Its connection in the configuration of a pod. Its files go into the directory. */
  connections(directory: string): Promise<Readonly<Record<string, object>>>;
  make(count: number): Promise<Backlog[]>;
  close(): Promise<void>;
}

/** What a place needs from the stage. */
export interface Surroundings {
  /** Reports the true size of a backlog from now on. */
  tell(subject: string, truth: Truth): void;
  /** The ingest port of the pods, without a path. One pod after the other, as behind a Service. */
  readonly ingestUrl: string;
  /** That of the next pod alone. */
  nextIngest(): Ingest;
  /** The token for all connections. */
  readonly token: string;
}

/** Where the next event goes. */
export interface Ingest {
  /** Without a path. */
  readonly url: string;
  /** If the pod is cut off now: resolves when the others may hear of what it takes. */
  heard(): Promise<void> | undefined;
}

export function names(stem: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${stem}-${index}`);
}
