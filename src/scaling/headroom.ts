import { countable, type Metric } from './metric.ts';

/** Replicas that a trigger asks for beyond its backlog, so that some are free when more comes. */
export interface Headroom {
  readonly replicas: number;
  /** Also where nothing waits: the trigger is then active for good. Else only while it is active by itself. */
  readonly whenIdle: boolean;
}

/**
 * The numbers with the headroom in them: what so many replicas are good for, on top. No more than the HPA can count.
 * `perReplica` is the target's.
 */
export function withHeadroom(metric: Metric, { replicas, whenIdle }: Headroom, perReplica: number): Metric {
  const active = metric.active || whenIdle;
  const value = active ? metric.value + replicas * perReplica : metric.value;
  return { value: countable(value, perReplica), active };
}
