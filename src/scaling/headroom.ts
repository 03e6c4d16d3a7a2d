import type { Reading } from '../sources/source.ts';

/** Replicas that a trigger asks for beyond its backlog, so that some are free when more comes. */
export interface Headroom {
  readonly replicas: number;
  /** Also where nothing waits: the trigger is then active for good. Else only while it is active by itself. */
  readonly whenIdle: boolean;
}

type Known = Extract<Reading, { kind: 'known' }>;

/**
 * A reading with the headroom in its number: what so many replicas are good for, on top of the items. `perReplica` is the
 * target's. What is no number of items stays none.
 */
export function withHeadroom(reading: Known, { replicas, whenIdle }: Headroom, perReplica: number): Known {
  const active = reading.active || whenIdle;
  if (replicas === 0 || !active || !(reading.items >= 0)) return reading;
  return {
    kind: 'known',
    items: reading.items + replicas * perReplica,
    active,
    detail: () => ({ ...reading.detail(), headroomReplicas: replicas }),
  };
}
