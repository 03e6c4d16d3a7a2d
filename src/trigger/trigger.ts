import { ownerOf, type Reference } from '../triggers/reference.ts';
import type { Measured } from '../triggers/resolve.ts';

/** One reference, resolved. Immutable; equal references share one. */
export interface Trigger extends Measured {
  readonly id: string;
  readonly reference: Reference;
}

/** `kafka trigger of shop/orders-worker`: how messages name a trigger. */
export function describe({ reference, source }: Trigger): string {
  return `${source.kind} trigger of ${ownerOf(reference)}`;
}
