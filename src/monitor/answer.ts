/** What a trigger's reading comes to, for KEDA. */
export type Answer =
  | { kind: 'known'; value: number; active: boolean; ageMs: number }
  /** Something waits for certain, how much is not known: activity can be answered, the number cannot. */
  | { kind: 'active'; why: string };

/** A trigger's state as whoever follows it is told. */
export interface Activity {
  active: boolean;
  /** True when this is a change from inactive (or unknown) to active, false for the state on open. */
  edge: boolean;
}
