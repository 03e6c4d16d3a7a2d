import type { ConnectionKey } from './source.ts';

/** A key of KEDA's trigger that has no effect: the connection has its own, or it is not needed. */
export const ignored: ConnectionKey<unknown> = { doc: 'Ignored.', selects: false };

export const secret: ConnectionKey<unknown> = { ...ignored, secret: true };
