import type { ConnectionKey } from './source.ts';

/** A key of KEDA's trigger that picks no connection; the doc says why it has no effect. */
export function ignored(doc: string): ConnectionKey<unknown> {
  return { doc, selects: false };
}

export const credential = ignored('Ignored: credentials belong to the connection.');

export const secret: ConnectionKey<unknown> = {
  ...ignored('Ignored: secrets belong to the connection. As `…FromEnv` refused without TLS on gRPC.'),
  secret: true,
};
