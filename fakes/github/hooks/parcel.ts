import type { Happening } from '../happening.ts';
import type { Hook } from './hook.ts';

/** An event on its way to every hook that wants it. */
export interface Parcel {
  /** The same for all deliveries of the event, redeliveries included. */
  readonly guid: string;
  readonly event: string;
  readonly action: string | null;
  readonly installationId: number | null;
  readonly repositoryId: number | null;
  /** Undefined for a ping. */
  readonly happening: Happening | undefined;
  body(hook: Hook): object;
}

/** The outcome of one attempt to deliver a parcel. */
export interface Outcome {
  readonly statusCode: number;
  readonly status: string;
  readonly durationSeconds: number;
}
