import { z } from 'zod';

/*
 * What a CloudEvent says of work items, as the event log keeps it: plain JSON. It may outlive the version of
 * the scaler that wrote it.
 */

/** In the order in which an item goes through them. */
export const itemStates = ['queued', 'running', 'finished'] as const;
export type ItemState = (typeof itemStates)[number];

const fact = z.object({
  backlog: z.string(),
  key: z.string(),
  state: z.enum(itemStates),
  attempt: z.number(),
  atMs: z.number().exactOptional(),
});

export interface ItemFact {
  readonly backlog: string;
  /** The item's name within its backlog; bounded. */
  readonly key: string;
  readonly state: ItemState;
  /** 0 without one in the mapping. A later attempt starts the item again. */
  readonly attempt: number;
  /** When the event happened, in ms since 1970 by its sender's clock; not there where it does not say. */
  readonly atMs?: number;
}

const facts = z.array(fact);

export function areFacts(value: unknown): value is readonly ItemFact[] {
  return facts.safeParse(value).success;
}
