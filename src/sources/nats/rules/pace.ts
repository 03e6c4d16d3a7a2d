import type { Pace, PaceView } from '../../source.ts';
import { arrivedBy, isSame, type NatsSnapshot, watchedSubjects } from './snapshot.ts';

/** What the reads of a consumer have shown. */
export interface NatsHistory {
  readonly last: NatsSnapshot;
  /** How many reads in a row found new messages. */
  readonly moves: number;
}

/** A consumer with new messages at more reads in a row than this is restless. */
const restlessAbove = 10;

export interface PaceConfig {
  /** The time between two reads of a consumer that is not watched, in ms. */
  readonly activeReadMs: number;
  /** The time between two reads of a consumer that is watched, in seconds. */
  readonly reconcileSeconds: number;
}

/** Takes a read into the history. Pure. */
export function fold(history: NatsHistory | undefined, snapshot: NatsSnapshot): NatsHistory {
  if (history === undefined) return { last: snapshot, moves: 0 };
  const { last, moves } = history;
  const hasMoved = isSame(last, snapshot) && arrivedBy(last) !== arrivedBy(snapshot);
  return { last: snapshot, moves: hasMoved ? Math.min(moves + 1, restlessAbove + 1) : 0 };
}

/**
 * An inactive consumer is watched, so that its next message is an edge within milliseconds. An active one is read at the
 * active pace, because a watch hears no acknowledgements. So is one that cannot be watched, and a restless one: it keeps
 * up, and each message would only cause a read.
 */
export function pace(
  { activeReadMs, reconcileSeconds }: PaceConfig,
  { active, snapshot, history, watch }: PaceView<NatsSnapshot, NatsHistory>,
): Pace {
  const canBeWatched = typeof watchedSubjects(snapshot) !== 'string';
  const isWanted = !active && canBeWatched && history.moves <= restlessAbove;
  const atRest = isWanted && watch === 'armed';
  return { nextReadMs: atRest ? reconcileSeconds * 1000 : activeReadMs, watch: isWanted };
}
