import type { Param, ParamsSchema } from '../../params/schema.ts';
import { decimal, ParamFault, required, text } from '../../params/schema.ts';
import { quote } from '../../printable.ts';

/** A NATS trigger's own keys; account, servers and credentials belong to the connection. */
export interface NatsParams {
  readonly stream: string;
  readonly consumer: string;
  readonly lagThreshold: number;
  readonly activationLagThreshold: number;
}

/** What the server takes (JSMaxNameLen, nats-server). */
const mostNameCharacters = 255;

function name(doc: string): Param<string> {
  return { ...required(text({ doc, most: mostNameCharacters })), parse: jetStreamName };
}

/**
 * The name becomes a token of the subject that is asked: with another dot or a wildcard it would be another question.
 * nats-server refuses the same in names (isValidName).
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
