import { ScalerError } from '../../errors.ts';
import { send, Unanswered } from '../../outbound/send.ts';

export interface GetLimits {
  /** For the whole request, from looking up the name to the last byte. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** The text at a URL. Rejects with ScalerError: `not_found` where the server has no such thing (4xx), else `unavailable`. */
export type Get = (url: string, limits: GetLimits) => Promise<string>;

/** A redirect is not followed: it could lead anywhere. */
export async function httpsGet(url: string, limits: GetLimits): Promise<string> {
  const { status, text } = await send(url, limits).catch((reason: unknown) => {
    const message = reason instanceof Unanswered ? reason.message : 'cannot be asked';
    throw new ScalerError('unavailable', message, { cause: reason });
  });
  if (status === 200) return text;
  const isMissing = status >= 400 && status < 500 && status !== 429;
  throw new ScalerError(isMissing ? 'not_found' : 'unavailable', `answers with ${status}`);
}
