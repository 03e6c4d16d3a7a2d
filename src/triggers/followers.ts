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

/** Who is followed. */
export interface Followed<T> {
  readonly label: string;
  followers: Followers<T>;
  /** One of them has left. */
  unfollowed(): void;
}

/** Adds a follower until the returned function is called. Throws ScalerError `exhausted` where there are `mostFollowers`. */
export function follow<T>(followed: Followed<T>, told: Following<T>): () => void {
  const { length } = followed.followers;
  if (length >= mostFollowers) {
    throw new ScalerError(
      'exhausted',
      `${followed.label}: ${length} streams of this kind are open already, and KEDA needs one`,
    );
  }
  followed.followers = [...followed.followers, told];
  return () => {
    const others = followed.followers.filter((one) => one !== told);
    if (others.length === followed.followers.length) return;
    followed.followers = others.length === 0 ? nobody : others;
    followed.unfollowed();
  };
}
