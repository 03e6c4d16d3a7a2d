import { apiKeys } from '../../../src/sources/kafka/upstream/protocol/api.ts';
import { Encoder } from '../../../src/sources/kafka/upstream/protocol/encoder.ts';
import type { Script } from './scripted-broker.ts';

export interface SaslOptions {
  /** The broker's mechanism. */
  mechanism: string;
  /** The lifetime of a session in ms. 0 means no end. */
  lifetimeMs?: number;
  /** The answer to each login, by its number from 0. A text is a refusal. */
  verdict?(login: number): string | 'ok' | 'silent';
  /** The content of the answer to a login. */
  challenge?: Buffer;
}

/** The broker's side of SaslHandshake and SaslAuthenticate. `messages` has every message of ours. */
export function scriptedSasl(options: SaslOptions): { script: Script; messages: string[] } {
  const messages: string[] = [];
  const script: Script = ({ apiKey, body, reply }) => {
    if (apiKey === apiKeys.saslHandshake) {
      const known = body.string() === options.mechanism;
      reply(
        new Encoder()
          .int16(known ? 0 : 33)
          .array([options.mechanism], (to, mechanism) => to.string(mechanism))
          .finish(),
      );
      return true;
    }
    if (apiKey !== apiKeys.saslAuthenticate) return false;
    const verdict = options.verdict?.(messages.length) ?? 'ok';
    const message = Array.from({ length: body.int32() }, () => String.fromCharCode(body.int8()));
    messages.push(message.join(''));
    if (verdict !== 'silent') reply(answer(verdict, options));
    return true;
  };
  return { script, messages };
}

function answer(verdict: string, { lifetimeMs = 0, challenge = Buffer.alloc(0) }: SaslOptions): Buffer {
  const head = new Encoder();
  if (verdict === 'ok') head.int16(0).int16(-1);
  else head.int16(58).string(verdict);
  head.int32(challenge.length);
  return Buffer.concat([head.finish(), challenge, new Encoder().int64(lifetimeMs).finish()]);
}
