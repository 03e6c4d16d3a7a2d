import type { IncomingMessage } from 'node:http';
import { get, type RequestOptions } from 'node:https';
import { ScalerError } from '../../errors.ts';

export interface GetLimits {
  /** For all of it, from the look-up of the name to the last byte. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** The text at a URL. Rejects with ScalerError: `not_found` where the server has no such thing (4xx), else `unavailable`. */
export type Get = (url: string, limits: GetLimits) => Promise<string>;

/** Over HTTPS, on a connection of its own. A redirect is not followed: it could lead anywhere. */
export async function httpsGet(
  url: string,
  { timeoutMs, maxBytes, signal }: GetLimits,
  tls: Pick<RequestOptions, 'ca'> = {},
): Promise<string> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const options = { ...tls, agent: false, signal: AbortSignal.any([signal, timeout]) };
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(url, options, resolve).on('error', reject);
    });
    return await textOf(response, maxBytes);
  } catch (reason) {
    if (reason instanceof ScalerError) throw reason;
    const message = timeout.aborted
      ? `no whole answer within ${timeoutMs} ms`
      : ScalerError.from(reason).message;
    throw new ScalerError('unavailable', message, { cause: reason });
  }
}

async function textOf(response: IncomingMessage, maxBytes: number): Promise<string> {
  const { statusCode = 0 } = response;
  if (statusCode !== 200) {
    response.destroy();
    const isMissing = statusCode >= 400 && statusCode < 500 && statusCode !== 429;
    throw new ScalerError(isMissing ? 'not_found' : 'unavailable', `answered with ${statusCode}`);
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) break;
    length += chunk.length;
    if (length > maxBytes) throw new ScalerError('unavailable', `answered with more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
