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

/** Who is followed. */
export interface Followed {
  /** How messages name the trigger. */
  readonly label: string;
  /** One of them follows no more. */
  unfollowed(): void;
}

/** Those who hear of each change of one trigger: KEDA's open streams of one kind. */
export class Followers<T> {
  /** All of them; another list when one comes or goes. There are tens of thousands of triggers: most share the empty one. */
  list: readonly Following<T>[] = none;
  private readonly of: Followed;

  constructor(of: Followed) {
    this.of = of;
  }

  /** Until the returned function is called. Throws ScalerError `exhausted` where there are `mostFollowers`. */
  add(told: Following<T>): () => void {
    const { length } = this.list;
    if (length >= mostFollowers) {
      throw new ScalerError(
        'exhausted',
        `${this.of.label}: ${length} streams of this kind are open already, and KEDA needs one`,
      );
    }
    this.list = [...this.list, told];
    return () => {
      const others = this.list.filter((one) => one !== told);
      if (others.length === this.list.length) return;
      this.list = others.length === 0 ? none : others;
      this.of.unfollowed();
    };
  }
}

const none: readonly never[] = [];
