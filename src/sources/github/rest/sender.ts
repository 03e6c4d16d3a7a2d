import { createAppAuth } from '@octokit/auth-app';
import { Octokit } from '@octokit/rest';
import type { Logger } from '../../../telemetry/log.ts';
import type { SourceMetrics } from '../../../telemetry/metrics.ts';
import type { Quota } from '../api.ts';
import { type About, type Asker, refusal, unreachable } from './errors.ts';
import { type Answer, Exchange } from './exchange.ts';
import { type Limits, quotaOf } from './limits.ts';

/** With what a request is signed, and whose limits it counts against. */
export interface Credential {
  readonly asker: Asker;
  /** The header's value; undefined for the App's own JWT, which octokit makes. */
  readonly authorization: string | undefined;
  /** Another number for each token: GitHub's ETags hold for one token. */
  readonly generation: number;
  readonly limits: Limits;
}

export interface Call {
  readonly method: 'GET' | 'POST';
  /** What the metrics call it. */
  readonly operation: string;
  /** With its query, below `apiUrl`. */
  readonly path: string;
  readonly about: About;
  readonly etag?: string | undefined;
}

export interface SenderOptions {
  /** Without a slash at its end. */
  readonly apiUrl: string;
  /** The private key as PKCS#8. */
  readonly app: { readonly id: number; readonly privateKey: string } | undefined;
  readonly requestTimeoutMs: number;
  readonly metrics: SourceMetrics;
  readonly log: Logger;
  readonly now: () => number;
}

export interface Sent {
  readonly answer: Answer;
  /** By our clock. */
  readonly sentAtMs: number;
  /** For how long the answer tells us to stay away. */
  readonly pauseMs: number | undefined;
}

const apiVersion = '2022-11-28';
/** Octokit prints each request that is not a success, 304 too. */
const silent = { debug() {}, info() {}, warn() {}, error() {} };
/** GitHub's `Date` is cut to the second. */
const halfSecondMs = 500;

/** Sends one request, and learns from its answer what it says of limits and of GitHub's clock. */
export class Sender {
  quota: Quota | undefined;
  clockOffsetMs = 0;
  readonly host: string;
  private readonly options: SenderOptions;
  private readonly plain: Octokit;
  private readonly asApp: Octokit | undefined;

  constructor(options: SenderOptions) {
    const { apiUrl: baseUrl, app } = options;
    const base = { baseUrl, userAgent: 'backlog-scaler', log: silent };
    this.options = options;
    this.host = new URL(baseUrl).host;
    this.plain = new Octokit(base);
    // Only for the JWT, whose times it corrects by GitHub's clock. Its installation tokens are not used: in 8.3.1
    // they are looked up by the installation's number alone, whatever the App or the host, while one is under way.
    this.asApp =
      app &&
      new Octokit({
        ...base,
        authStrategy: createAppAuth,
        auth: { appId: app.id, privateKey: app.privateKey },
      });
  }

  get now(): () => number {
    return this.options.now;
  }

  /** As `ask`, for a success or, where an ETag was sent, a 304. Throws ScalerError for another answer. */
  async send(call: Call, credential: Credential, signal: AbortSignal): Promise<Sent> {
    return this.accept(await this.ask(call, credential, signal), call, credential);
  }

  /** Whatever GitHub answers. Throws ScalerError without an answer, and at once while a limit keeps us away. */
  async ask(call: Call, credential: Credential, signal: AbortSignal): Promise<Sent> {
    const { requestTimeoutMs, metrics, now } = this.options;
    credential.limits.check(now());
    let pauseMs: number | undefined;
    const heard = (answer: Answer) => {
      pauseMs = this.learn(answer, credential);
    };
    const { operation } = call;
    const exchange = new Exchange({ operation, requestTimeoutMs, signal, metrics, now, heard });
    try {
      await this.octokitOf(credential).request({
        method: call.method,
        url: call.path,
        headers: headersOf(call, credential),
        request: { fetch: exchange.fetch },
      });
    } catch (reason) {
      if (exchange.answer === undefined) throw unreachable(exchange.failure ?? reason, this.host);
    }
    const { answer, sentAtMs = now() } = exchange;
    if (answer === undefined) throw unreachable(undefined, this.host);
    return { answer, sentAtMs, pauseMs };
  }

  accept(sent: Sent, { about, etag }: Call, { asker }: Credential): Sent {
    const { answer, pauseMs } = sent;
    if (answer.status < 300 || (answer.status === 304 && etag !== undefined)) return sent;
    throw refusal(answer, about, asker, this.host, pauseMs);
  }

  private octokitOf({ authorization }: Credential): Octokit {
    return authorization === undefined ? (this.asApp ?? this.plain) : this.plain;
  }

  private learn(answer: Answer, { limits, asker }: Credential): number | undefined {
    const { now, metrics, log } = this.options;
    const nowMs = now();
    const githubMs = Date.parse(answer.headers.get('date') ?? '');
    if (!Number.isNaN(githubMs)) this.clockOffsetMs = githubMs + halfSecondMs - nowMs;
    const quota = quotaOf(answer.headers, this.clockOffsetMs);
    // What the App may ask by its key is another account, and hardly ever used.
    if (quota !== undefined && asker !== 'app') {
      this.quota = quota;
      metrics.rateLimitRemaining(quota.remaining);
    }
    const pauseMs = limits.take(answer, nowMs, this.clockOffsetMs);
    if (pauseMs !== undefined) {
      const { status } = answer;
      log.warn({ status, pauseMs, ...quota }, "GitHub's rate limit is reached: REST rests, webhooks go on");
    }
    return pauseMs;
  }
}

function headersOf({ etag }: Call, { authorization }: Credential): Record<string, string> {
  return {
    'x-github-api-version': apiVersion,
    ...(authorization === undefined ? {} : { authorization }),
    ...(etag === undefined ? {} : { 'if-none-match': etag }),
  };
}
