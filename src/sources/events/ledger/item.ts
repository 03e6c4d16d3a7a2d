import { type ItemFact, itemStates } from '../fact.ts';

/** What is known of an item: greatest of what was heard. Never changed in place. */
export interface Item {
  readonly backlog: string;
  readonly key: string;
  readonly state: ItemFact['state'];
  readonly attempt: number;
}

/** Of a later attempt only its own events count; within one the furthest state does. */
export function join(a: Item, b: Item): Item {
  if (a.attempt !== b.attempt) return a.attempt > b.attempt ? a : b;
  return itemStates.indexOf(a.state) >= itemStates.indexOf(b.state) ? a : b;
}
