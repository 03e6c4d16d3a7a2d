import type { InboundEvent } from '../sources/source.ts';

/** The event as it is written; JSON, so that a person can read it too. */
export function encode(event: InboundEvent): string {
  return JSON.stringify(event);
}

/** Undefined for what is no event: damaged, or of a version that wrote it in another way. */
export function decode(text: string): InboundEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { connection, type, id, receivedAtMs, fact }: Partial<Record<keyof InboundEvent, unknown>> = value;
  if (typeof connection !== 'string' || typeof type !== 'string' || typeof id !== 'string') return undefined;
  if (typeof receivedAtMs !== 'number') return undefined;
  return { connection, type, id, receivedAtMs, fact };
}
