import { ScalerError } from '../errors.ts';
import type { Nudge } from '../scaling/surge.ts';
import type { Target } from '../sources/source.ts';

/** A trigger's activity, for its followers. */
export interface Activity {
  active: boolean;
  /** True when this is a change from inactive (or unknown) to active, false for the state on open. */
  edge: boolean;
}

/** The metric that the HPA asks for. */
export interface Spec {
  readonly metricName: string;
  readonly target: Pick<Target, 'perReplica'>;
  /** By how many thousandths the target is to be more, to have the HPA look; absent but on a stream. */
  readonly nudge?: Nudge;
}

/** Must not throw. */
export type Following<T> = (told: T) => void;

/**
 * Of each kind, for one trigger. KEDA opens one. There are more while a broken connection of KEDA is not known to be dead,
 * or with several KEDAs. All are notified in one turn of the event loop.
 */
export const mostFollowers = 100;

/** Those who hear of each change of one trigger: KEDA's open streams of one kind. */
export type Followers<T> = readonly Following<T>[];

/** There are tens of thousands of triggers: those that nobody follows share this. */
export const nobody: readonly never[] = [];

/** These and one more. Throws ScalerError `exhausted` where there are `mostFollowers`. */
export function withFollower<T>(
  followers: Followers<T>,
  told: Following<T>,
  trigger: { readonly label: string },
): Followers<T> {
  const { length } = followers;
  if (length < mostFollowers) return [...followers, told];
  throw new ScalerError(
    'exhausted',
    `${trigger.label}: ${length} streams of this kind are open already, and KEDA needs one`,
  );
}

/** These without that one; undefined if it is not among them. */
export function withoutFollower<T>(followers: Followers<T>, gone: Following<T>): Followers<T> | undefined {
  const others = followers.filter((one) => one !== gone);
  if (others.length === followers.length) return undefined;
  return others.length === 0 ? nobody : others;
}
