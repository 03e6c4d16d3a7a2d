import type { AuthenticationProviderArgs, Authenticator } from 'kafkajs';
import { ScalerError } from '../../../errors.ts';
import type { TokenProvider } from './security.ts';

const separator = '\u0001';

/**
 * The OAUTHBEARER login (RFC 7628, KIP-255) as a mechanism of kafkajs. Its own does not read what the broker
 * answers, and a refused token comes as an answer: it would look like a login until the next request fails.
 */
export function oauthBearer(
  token: TokenProvider,
  extensions: Readonly<Record<string, string>> = {},
): (args: AuthenticationProviderArgs) => Authenticator {
  return ({ host, port, saslAuthenticate }) => ({
    async authenticate() {
      const request = bearerRequest(await token(), extensions);
      const refusal = await saslAuthenticate({
        request: { encode: () => request },
        response: { decode: withoutLength, parse: (answer) => answer.toString('utf8') },
      });
      if (!refusal) return;
      throw new ScalerError(
        'unavailable',
        `broker ${host}:${port} refuses our bearer token${status(refusal)}: check the connection's \`sasl\``,
      );
    },
  });
}

/** kafkajs wants the message behind its length, as SASL was before KIP-152, and takes the length off again. */
function bearerRequest(token: string, extensions: Readonly<Record<string, string>>): Buffer {
  const pairs = Object.entries(extensions).map(([key, value]) => `${key}=${value}${separator}`);
  const message = Buffer.from(`n,,${separator}auth=Bearer ${token}${separator}${pairs.join('')}${separator}`);
  const length = Buffer.alloc(4);
  length.writeInt32BE(message.length);
  return Buffer.concat([length, message]);
}

function withoutLength(answer: Buffer): Buffer {
  return answer.subarray(4);
}

/** The `status` of RFC 7628 §3.2.2. */
function status(refusal: string): string {
  const word = /"status"\s*:\s*"(\w{1,64})"/.exec(refusal)?.[1];
  return word === undefined ? '' : ` (${word})`;
}
