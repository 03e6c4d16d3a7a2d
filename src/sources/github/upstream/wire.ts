import { ScalerError } from '../../../errors.ts';
import { type Outgoing, send, Unanswered } from '../../../outbound/send.ts';
import type { Logger } from '../../../telemetry/log.ts';
import type { SourceMetrics } from '../../../telemetry/metrics.ts';
import type { Quota } from './api.ts';
import { type About, type Answer, type Asker, refusal, unreachable } from './errors.ts';
import { type Limits, quotaOf } from './limits.ts';

/** The largest answer to read. A page of 100 jobs with all their steps has about 1 MB. */
const maxAnswerBytes = 32 * 1024 * 1024;
/** A renamed repository redirects once. */
const maxRedirects = 3;
/** GitHub's `Date` has whole seconds. */
const halfSecondMs = 500;
/** How wrong the assumed time of GitHub must have been before a key is signed again. */
const clockSlackMs = 5_000;

/** The signature of a request, and the limits it counts against. */
export interface Credential {
  readonly asker: Asker;
  /** The value of the header. `githubNowMs` is in ms since 1970 by GitHub's clock. */
  authorization(githubNowMs: number): string;
  /** Another number for each token. GitHub's ETags are valid for one token. */
  readonly generation: number;
  readonly limits: Limits;
}

export interface Call {
  readonly method: 'GET' | 'POST';
  /** Its name in the metrics. */
  readonly operation: string;
  /** With its query, below `apiUrl`. */
  readonly path: string;
  readonly about: About;
  readonly etag?: string | undefined;
}

export interface Sent {
  readonly answer: Answer;
  /** When the first of its requests was sent, by our clock. */
  readonly sentAtMs: number;
  /** How long the answer tells us to stay away. */
  readonly pauseMs: number | undefined;
  /** GitHub redirected the request to another address. */
  readonly redirected: boolean;
}

export interface WireOptions {
  /** Without a slash at its end. */
  readonly apiUrl: string;
  readonly requestTimeoutMs: number;
  readonly metrics: SourceMetrics;
  readonly log: Logger;
  readonly now: () => number;
}

/**
 * A request and its answer: bounded in time and size, with credentials that stay on their host, within GitHub's limits.
 * Learns from each answer about limits and GitHub's clock.
 */
export class Wire {
  quota: Quota | undefined;
  /** GitHub's clock minus ours, in ms. */
  clockOffsetMs = 0;
  readonly apiUrl: URL;
  readonly now: () => number;
  private readonly options: WireOptions;

  constructor(options: WireOptions) {
    this.options = options;
    this.apiUrl = new URL(options.apiUrl);
    this.now = options.now;
  }

  get host(): string {
    return this.apiUrl.host;
  }

  /**
   * Throws ScalerError if the answer is not a success (with an ETag also 304), if none comes, and at once while a limit
   * is in the way.
   */
  async send(call: Call, credential: Credential, signal: AbortSignal): Promise<Sent> {
    credential.limits.check(this.now());
    const offsetMs = this.clockOffsetMs;
    let sent = await this.follow(call, credential, signal);
    // The App's key is signed for ten minutes, and the answer's `Date` has just shown that our time was wrong.
    const isLate = Math.abs(this.clockOffsetMs - offsetMs) > clockSlackMs;
    if (sent.answer.status === 401 && credential.asker === 'app' && isLate)
      sent = await this.follow(call, credential, signal);
    const { answer, pauseMs } = sent;
    if (answer.status < 300 || (answer.status === 304 && call.etag !== undefined)) return sent;
    throw refusal(answer, call.about, credential.asker, this.apiUrl, pauseMs);
  }

  private async follow(call: Call, credential: Credential, signal: AbortSignal): Promise<Sent> {
    const sentAtMs = this.now();
    const init = { method: call.method, headers: this.headersOf(call, credential) };
    let target = new URL(`${this.options.apiUrl}${call.path}`);
    for (let hops = 0; hops <= maxRedirects; hops += 1) {
      const answer = await this.counted(call.operation, target, init, signal);
      const pauseMs = this.learn(answer, credential);
      const location = redirectOf(answer, call);
      if (location === undefined) return { answer, sentAtMs, pauseMs, redirected: hops > 0 };
      target = new URL(location, target);
      if (target.origin !== this.apiUrl.origin) {
        const text = `redirects to ${target.host}, where the connection's credentials do not belong`;
        throw this.fault(`${text}: check the connection's \`apiUrl\``);
      }
    }
    throw this.fault('redirects in a circle');
  }

  private headersOf({ etag }: Call, credential: Credential): Record<string, string> {
    return {
      accept: 'application/vnd.github+json',
      'user-agent': 'backlog-scaler',
      'x-github-api-version': '2022-11-28',
      authorization: credential.authorization(this.now() + this.clockOffsetMs),
      ...(etag === undefined ? {} : { 'if-none-match': etag }),
    };
  }

  private async counted(
    operation: string,
    url: URL,
    init: Pick<Outgoing, 'method' | 'headers'>,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { metrics } = this.options;
    try {
      const answer = await this.exchange(url, init, signal);
      metrics.request(operation, answer.status < 400 ? 'ok' : 'error');
      return answer;
    } catch (reason) {
      metrics.request(operation, 'error');
      throw unreachable(reason, this.host);
    }
  }

  /** Every request leaves here. */
  private async exchange(
    url: URL,
    init: Pick<Outgoing, 'method' | 'headers'>,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { requestTimeoutMs: timeoutMs } = this.options;
    try {
      return await send(url, { ...init, timeoutMs, maxBytes: maxAnswerBytes, signal });
    } catch (reason) {
      throw this.inOurWords(reason);
    }
  }

  private inOurWords(reason: unknown): unknown {
    const code = reason instanceof Unanswered ? reason.code : undefined;
    if (code === 'TOO_LARGE') return this.fault(`answers with more than ${maxAnswerBytes / 1024 / 1024} MiB`);
    if (code !== 'TOO_LATE') return reason;
    const seconds = this.options.requestTimeoutMs / 1000;
    return this.fault(`does not answer within ${seconds} s: is there a proxy or a firewall in between?`);
  }

  private fault(text: string): ScalerError {
    return new ScalerError('unavailable', `GitHub (${this.host}) ${text}`);
  }

  private learn(answer: Answer, { limits, asker }: Credential): number | undefined {
    const { metrics, log } = this.options;
    const nowMs = this.now();
    const githubMs = Date.parse(answer.headers.get('date') ?? '');
    if (!Number.isNaN(githubMs)) this.clockOffsetMs = githubMs + halfSecondMs - nowMs;
    const quota = quotaOf(answer.headers, this.clockOffsetMs);
    // Requests with the App's key count against another limit, and are rare.
    if (quota !== undefined && asker !== 'app') {
      this.quota = quota;
      metrics.rateLimitRemaining(quota.remaining);
    }
    const pauseMs = limits.take(answer, nowMs, this.clockOffsetMs);
    if (pauseMs !== undefined) {
      const { status } = answer;
      log.warn(
        { status, pauseMs, ...quota },
        "GitHub's rate limit is reached: REST requests pause, webhooks still count",
      );
    }
    return pauseMs;
  }
}

/** Where a GET is redirected to. A request that changes something is never sent twice. */
function redirectOf({ status, headers }: Answer, { method }: Call): string | undefined {
  if (status !== 301 && status !== 302 && status !== 307 && status !== 308) return undefined;
  return method === 'GET' ? (headers.get('location') ?? undefined) : undefined;
}
