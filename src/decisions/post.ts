import { retryAfterMs } from './retry-after.ts';

export interface PostOptions {
  readonly url: string;
  readonly token: string | undefined;
  readonly timeoutMs: number;
}

export type Outcome =
  | { readonly kind: 'accepted' }
  /** The sink does not take these, however often they are sent. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** Worth another try. */
  | { readonly kind: 'failed'; readonly reason: string; readonly retryAfterMs?: number | undefined };

/** These say something of what was sent; every other one of the place, or of us. */
const refusals: readonly number[] = [400, 413, 415, 422];
/** What a sink may say beside its status before its connection is given up. */
const maxAnswerBytes = 65_536;

/** Posts one batch (CloudEvents JSON format §4, HTTP binding §3.3). Never rejects, and says no secret. */
export async function post(options: PostOptions, body: string, signal: AbortSignal): Promise<Outcome> {
  const { url, token, timeoutMs } = options;
  // Not `AbortSignal.any`: what has a listener stays as long as the signal that lives long (Node 24.21).
  const abort = new AbortController();
  const cancel = (): void => abort.abort();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    cancel();
  }, timeoutMs);
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  try {
    const headers = {
      'content-type': 'application/cloudevents-batch+json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body,
      redirect: 'manual',
      signal: abort.signal,
    });
    await drain(response);
    return outcomeOf(response);
  } catch (reason) {
    return { kind: 'failed', reason: late ? `does not answer within ${timeoutMs} ms` : unreached(reason) };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', cancel);
  }
}

function outcomeOf({ ok, status, headers }: Response): Outcome {
  if (ok) return { kind: 'accepted' };
  if (refusals.includes(status)) return { kind: 'refused', reason: `answers ${status}` };
  const reason = `answers ${status}${advice(status)}`;
  return { kind: 'failed', reason, retryAfterMs: retryAfterMs(headers.get('retry-after'), Date.now()) };
}

function advice(status: number): string {
  if (status === 401 || status === 403) return ': check decisions.token';
  if (status === 404 || status === 405) return ': check the path of decisions.sink';
  if (status >= 300 && status < 400)
    return ': redirects are not followed, set decisions.sink to where it leads';
  return '';
}

/** The answer has been given: what comes after its headers changes nothing, but the connection is free after it. */
async function drain({ body }: Response): Promise<void> {
  if (body === null) return;
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += chunk.byteLength;
      if (bytes > maxAnswerBytes) return;
    }
  } catch {
    // Cut off or too slow.
  }
}

/** By its code only: messages of the HTTP client hold the headers that it did not like. */
function unreached(reason: unknown): string {
  for (let error = reason, depth = 0; error instanceof Error && depth < 5; error = error.cause, depth += 1) {
    if ('code' in error && typeof error.code === 'string') return `cannot be reached (${error.code})`;
  }
  return 'cannot be reached';
}
