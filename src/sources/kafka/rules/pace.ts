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
 * Inactive subjects are watched, so that their next record is an edge within milliseconds. Active ones are read at the
 * active pace. They are also watched, for their inactive triggers, when the end has not moved for long. Restless subjects
 * are read by the clock: each record would wake them only for a read.
 *
 * Reads slow down only where nothing can happen unseen. The watch sees the end move, but not the group's commits. So the lag
 * of an active trigger is still read at the active pace.
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
