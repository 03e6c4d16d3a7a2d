import { ScalerError } from '../../../errors.ts';
import type { SourceMetrics } from '../../../telemetry/metrics.ts';

/** The largest answer that is read: a page of 100 jobs with all their steps is about 1 MB. */
const maxAnswerBytes = 32 * 1024 * 1024;
/** A renamed repository redirects once. */
const maxRedirects = 3;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface ExchangeOptions {
  /** What the metrics call it. */
  readonly operation: string;
  readonly requestTimeoutMs: number;
  readonly signal: AbortSignal;
  readonly metrics: SourceMetrics;
  readonly now: () => number;
  /** Called with each answer, before a redirect is followed. */
  readonly heard: (answer: Answer) => void;
}

/**
 * What one call of octokit becomes on the wire: one request, more after a redirect or a corrected JWT. It stands
 * in for `fetch` to count requests, to bound answers in time and size, and to keep credentials on their host.
 */
export class Exchange {
  /** When the first request was sent, by our clock. */
  sentAtMs: number | undefined;
  /** The last answer. Octokit's own reading of it is not used: its JSON parser takes ten times as long. */
  answer: Answer | undefined;
  /** Why there is no answer. */
  failure: unknown;
  private readonly options: ExchangeOptions;

  constructor(options: ExchangeOptions) {
    this.options = options;
  }

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    this.answer = undefined;
    this.failure = undefined;
    try {
      const answer = await this.follow(new URL(url), init);
      this.answer = answer;
      const { status, headers, text } = answer;
      // Octokit needs the text of a refusal only: auth-app reads in it that the clocks differ.
      return new Response(status >= 400 ? text : null, { status, headers });
    } catch (reason) {
      this.failure = reason;
      throw reason;
    }
  };

  private async follow(url: URL, init: RequestInit): Promise<Answer> {
    let target = url;
    for (let hops = 0; hops <= maxRedirects; hops += 1) {
      const answer = await this.request(target, init);
      const location = redirectOf(answer, init);
      if (location === undefined) return answer;
      const next = new URL(location, target);
      if (next.origin !== url.origin) {
        throw new ScalerError(
          'unavailable',
          `GitHub (${url.host}) redirects us to ${next.host}, where our credentials do not belong: check the connection's \`apiUrl\``,
        );
      }
      target = next;
    }
    throw new ScalerError('unavailable', `GitHub (${url.host}) redirects us in a circle`);
  }

  private async request(url: URL, init: RequestInit): Promise<Answer> {
    const { operation, metrics, now, heard } = this.options;
    this.sentAtMs ??= now();
    try {
      const answer = await this.inTime(url, init);
      metrics.request(operation, answer.status < 400 ? 'ok' : 'error');
      heard(answer);
      return answer;
    } catch (reason) {
      metrics.request(operation, 'error');
      throw reason;
    }
  }

  /** Not `AbortSignal.any`: what has a listener stays as long as the signal that lives long (Node 24.21). */
  private async inTime(url: URL, init: RequestInit): Promise<Answer> {
    const { requestTimeoutMs, signal } = this.options;
    const abort = new AbortController();
    const cancel = () => abort.abort(new ScalerError('unavailable', 'the request was cancelled'));
    const timer = setTimeout(() => abort.abort(tooSlow(url, requestTimeoutMs)), requestTimeoutMs);
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
    try {
      const response = await fetch(url, { ...init, redirect: 'manual', signal: abort.signal });
      return { status: response.status, headers: response.headers, text: await boundedText(response, url) };
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
    }
  }
}

function tooSlow(url: URL, timeoutMs: number): ScalerError {
  return new ScalerError(
    'unavailable',
    `GitHub (${url.host}) does not answer within ${timeoutMs / 1000} s: is there a proxy or a firewall in between?`,
  );
}

/** Where to go on for an answer to a GET; nothing that changes something is sent twice. */
function redirectOf({ status, headers }: Answer, { method }: RequestInit): string | undefined {
  if (status !== 301 && status !== 302 && status !== 307 && status !== 308) return undefined;
  return method === undefined || method === 'GET' ? (headers.get('location') ?? undefined) : undefined;
}

async function boundedText(response: Response, url: URL): Promise<string> {
  if (response.body === null) return '';
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop by an error cancels the body, and with it the connection.
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    if (bytes > maxAnswerBytes) {
      throw new ScalerError(
        'unavailable',
        `GitHub (${url.host}) answers with more than ${maxAnswerBytes / 1024 / 1024} MiB`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
