import type { Param, ParamsSchema } from '../../params/schema.ts';
import { decimal, ParamFault, required, text } from '../../params/schema.ts';
import { quote } from '../../printable.ts';

/** The own keys of a NATS trigger. Account, servers and credentials belong to the connection. */
export interface NatsParams {
  readonly stream: string;
  readonly consumer: string;
  readonly lagThreshold: number;
  readonly activationLagThreshold: number;
}

/** The longest name that the server takes (nats-server, JSMaxNameLen). */
const mostNameCharacters = 255;

function name(doc: string): Param<string> {
  return { ...required(text({ doc, most: mostNameCharacters })), parse: jetStreamName };
}

/**
 * The name becomes a token of the request's subject. A dot or a wildcard in it would make another request. nats-server
 * refuses the same names (isValidName).
 */
function jetStreamName(value: string): string {
  if (!/[\s.*>/\\\p{Cc}]/u.test(value)) return value;
  throw new ParamFault(`must be a name without spaces and without . * > / \\, got ${quote(value)}`);
}

/** Names and defaults of KEDA's `nats-jetstream` trigger (pkg/scalers/nats_jetstream_scaler.go, v2.21). */
export const natsParams: ParamsSchema<NatsParams> = {
  table: {
    stream: name('The stream.'),
    consumer: name('The durable name.'),
    lagThreshold: decimal({ doc: 'Messages per replica.', fallback: 10, above: 0 }),
    activationLagThreshold: decimal({
      doc: 'It leaves zero above this.',
      fallback: 0,
      least: 0,
    }),
  },
  rules: [],
};
