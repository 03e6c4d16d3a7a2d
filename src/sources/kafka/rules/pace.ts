import type { Pace, PaceView } from '../../source.ts';
import { isQuiet, isRestless, isUndecided, type KafkaHistory } from './history.ts';
import type { KafkaSnapshot } from './snapshot.ts';

export interface PaceConfig {
  /** The time between two reads of a subject that is not known to be at rest, in ms. */
  readonly activeReadMs: number;
  /** The time between two reads of a subject at rest that is watched, in seconds. */
  readonly reconcileSeconds: number;
}

/**
 * What is inactive is watched, so that its next record is an edge within milliseconds; what is active is read at the
 * active pace, and watched as well when its end has stood still for long, for its triggers that are not active.
 * Restless subjects are left to the clock: each record would wake them, for nothing but a read.
 *
 * Reads slow down only where nothing can happen unseen: the watch sees the end move but not the group's commits, so
 * while a trigger is active the lag is still read at the active pace.
 */
export function pace(config: PaceConfig, view: PaceView<KafkaSnapshot, KafkaHistory>): Pace {
  const watch = isQuiet(view.history, view.nowMs) || (!view.active && !isRestless(view.history));
  const atRest = watch && view.watch === 'armed' && !view.active && !isUndecided(view.history);
  const nextReadMs = atRest ? untilReconcileMs(config, view.nowMs) : config.activeReadMs;
  return { nextReadMs, watch };
}

/** On the clock, not so long after each subject's last read: all of a connection are then reconciled together. */
function untilReconcileMs({ reconcileSeconds }: PaceConfig, nowMs: number): number {
  const reconcileMs = reconcileSeconds * 1000;
  return reconcileMs - (nowMs % reconcileMs);
}
