import type { ScaledObjectRef } from '../../src/grpc/generated/externalscaler/ScaledObjectRef.ts';
import type { Subject, Truth } from '../invariants.ts';

/** A backlog of something real, empty at first, which says what is true of it. Of a change that fails it is not known whether it was made. */
export interface Backlog {
  readonly subject: Subject;
  /** The ScaledObject that asks for it. */
  readonly reference: ScaledObjectRef;
  /** So many more items. Resolves when they are there, or when it is given up. */
  grow(items: number): Promise<void>;
  /** No items any more. */
  empty(): Promise<void>;
}

/** Where backlogs are: a cluster, a queue service, a GitHub. */
export interface Place {
  /** Its connection, as the configuration of a pod has it; its files go to the directory. */
  connections(directory: string): Promise<Readonly<Record<string, object>>>;
  make(count: number): Promise<Backlog[]>;
  close(): Promise<void>;
}

/** What a place needs of the stage. */
export interface Surroundings {
  /** Says what is true of a backlog from now on. */
  tell(subject: string, truth: Truth): void;
  /** The ingest port of the pods, without a path: one after the other, as behind a Service. */
  readonly ingestUrl: string;
  /** The token for all connections. */
  readonly token: string;
}

export function names(stem: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${stem}-${index}`);
}
