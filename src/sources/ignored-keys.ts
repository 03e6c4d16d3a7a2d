import type { ConnectionKey } from './source.ts';

/** A key of KEDA's trigger that picks no connection; the doc says why it has no effect. */
export function ignored(doc: string): ConnectionKey<unknown> {
  return { doc, selects: false };
}

export const credential = ignored('Credentials belong to the connection; ignored.');

export const secret: ConnectionKey<unknown> = {
  ...ignored('A secret of the connection; ignored. As `…FromEnv` refused where gRPC has no TLS.'),
  secret: true,
};
