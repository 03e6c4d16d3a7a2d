import type { Metric } from './metric.ts';

/** Replicas that a trigger asks for beyond its backlog, so that some are free when more comes. */
export interface Headroom {
  readonly replicas: number;
  /** Also where nothing waits: the trigger is then active for good. Else only while it is active by itself. */
  readonly whenIdle: boolean;
}

/** The numbers with the headroom in them: what so many replicas are good for, on top. `perReplica` is the target's. */
export function withHeadroom(metric: Metric, { replicas, whenIdle }: Headroom, perReplica: number): Metric {
  const active = metric.active || whenIdle;
  return replicas === 0 || !active ? metric : { value: metric.value + replicas * perReplica, active };
}
