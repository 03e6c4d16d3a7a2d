import type { Reference } from '../triggers/reference.ts';
import type { Activity, Answer, Spec } from '../triggers/trigger.ts';

export type { Activity, Answer } from '../triggers/trigger.ts';

/** Somebody who waits, and may leave. */
export interface Waiting {
  readonly signal: AbortSignal;
}

export interface LiveTrigger {
  readonly label: string;
  readonly spec: Spec;
  answer(caller: Waiting): Promise<Answer>;
  follow(told: (activity: Activity) => void): () => void;
  followSpec(told: (spec: Spec) => void): () => void;
}

/** All that the RPC layer asks of the rest: everything is answered from memory. */
export interface Desk {
  trigger(reference: Reference): LiveTrigger;
}
