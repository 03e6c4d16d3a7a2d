import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { ScalerError } from '../../../errors.ts';
import type { PeerDuties, Peers } from '../../source.ts';
import { statuses } from '../rules/job.ts';
import type { GitHubApi, JobsOfRun, OpenRuns, OwnerRepos, Quota } from './api.ts';

/** The most bytes of GitHub's answers that are kept, for other pods and for this pod's next request. */
const mostKeptBytes = 16 * 1024 * 1024;
/** For an answer itself. `thingBytes` is for each member in it. */
const answerBytes = 400;
const thingBytes = 250;
/** Messages between pods take time, so an answer may be older by this. It says how old it is. */
const slackMs = 250;

const id = z.int().min(1);
const repo = z.object({ id, name: z.string() });
const job = z
  .object({
    jobId: id,
    runId: id,
    runAttempt: id,
    repo: z.string(),
    labels: z.array(z.string()),
    status: z.enum(statuses),
    sinceMs: z.number().optional(),
    gated: z.boolean(),
  })
  .transform((one) => ({ ...one, sinceMs: one.sinceMs }));

const question = z.discriminatedUnion('ask', [
  z.object({ ask: z.literal('repositories') }),
  z.object({ ask: z.literal('openRuns'), repo: z.string() }),
  z.object({ ask: z.literal('jobsOf'), repo: z.string(), runId: id }),
  z.object({ ask: z.literal('job'), repo: z.string(), jobId: id }),
]);
type Question = z.infer<typeof question>;

/** The messages between pods. Clocks are never compared: every time is an age at sending, in ms. */
const asked = z.object({ question, maxAgeMs: z.number() });
const answered = z.object({
  value: z.unknown(),
  ageMs: z.number(),
  /** What is left of the hourly limit. */
  quota: z.object({ limit: z.number(), remaining: z.number(), resetInMs: z.number() }).optional(),
  githubNowMs: z.number(),
});
const news = z.object({ swept: z.string(), ageMs: z.number() });

const shapes = {
  repositories: z.object({ repos: z.array(repo), visible: z.number() }),
  openRuns: z.object({
    value: z.array(z.object({ runId: id, runAttempt: id })),
    repo: repo.optional(),
  }),
  jobsOf: z.object({ value: z.array(job), moved: z.boolean().exactOptional() }),
  job: z.object({ value: job }),
};

interface Kept {
  readonly value: unknown;
  /** In ms since 1970 by our clock. For an answer of another pod it is the earliest possible time. */
  readonly askedAtMs: number;
}

export interface SharedGitHubOptions {
  /** GitHub itself. */
  readonly own: GitHubApi;
  readonly peers: (duties: PeerDuties) => Peers;
  /** Called when another pod has swept a repository, `ageMs` ago. */
  readonly swept: (name: string, ageMs: number) => void;
  /** Called when this pod begins or stops to ask GitHub. */
  readonly changed: () => void;
  readonly told: (quota: Quota) => void;
  readonly now: () => number;
}

/**
 * GitHub for several pods. The pod with the lease asks it, and answers the others, from kept answers if these are new
 * enough. A pod that can reach neither learns nothing, and what it knows grows old.
 */
export class SharedGitHub implements GitHubApi {
  readonly failedDeliveries?: NonNullable<GitHubApi['failedDeliveries']>;
  readonly redeliver?: NonNullable<GitHubApi['redeliver']>;
  private readonly options: SharedGitHubOptions;
  private readonly peers: Peers;
  private readonly kept = new LRUCache<string, Kept>({ maxSize: mostKeptBytes });
  private readonly flights = new Map<
    string,
    { readonly beganAtMs: number; readonly answer: Promise<Kept> }
  >();
  private told: { readonly quota: Quota | undefined; readonly clockOffsetMs: number } | undefined;

  constructor(options: SharedGitHubOptions) {
    const { own, swept, changed } = options;
    this.options = options;
    this.peers = options.peers({
      answer: (what, term) => this.answer(what, term),
      hear: (what) => {
        const { success, data } = news.safeParse(what);
        if (success) swept(data.swept, data.ageMs);
      },
      changed,
    });
    if (own.failedDeliveries === undefined) return;
    this.failedDeliveries = async (sinceMs, signal) =>
      (await this.asked(this.during(signal), async (during) => own.failedDeliveries?.(sinceMs, during))) ??
      [];
    this.redeliver = (delivery, signal) =>
      this.asked(this.during(signal), async (during) => own.redeliver?.(delivery, during));
  }

  /** Whether this pod asks GitHub. */
  get asks(): boolean {
    return this.peers.term !== undefined;
  }

  get quota(): Quota | undefined {
    const { own } = this.options;
    return this.asks ? (own.quota ?? this.told?.quota) : (this.told?.quota ?? own.quota);
  }

  get clockOffsetMs(): number {
    const { own } = this.options;
    return this.asks ? own.clockOffsetMs : (this.told?.clockOffsetMs ?? own.clockOffsetMs);
  }

  async repositories(signal: AbortSignal, sinceMs?: number): Promise<OwnerRepos> {
    const { value, askedAtMs } = await this.get({ ask: 'repositories' }, signal, sinceMs);
    return { ...read(shapes.repositories, value), askedAtMs };
  }

  async openRuns(name: string, signal: AbortSignal, sinceMs?: number): Promise<OpenRuns> {
    const { value, askedAtMs } = await this.get({ ask: 'openRuns', repo: name }, signal, sinceMs);
    return { ...read(shapes.openRuns, value), askedAtMs };
  }

  async jobsOf(
    run: { repo: string; runId: number },
    signal: AbortSignal,
    sinceMs?: number,
  ): Promise<JobsOfRun> {
    const ask = { ask: 'jobsOf', repo: run.repo, runId: run.runId } as const;
    const { value, askedAtMs } = await this.get(ask, signal, sinceMs);
    return { ...read(shapes.jobsOf, value), askedAtMs };
  }

  async job(ref: { repo: string; jobId: number }, signal: AbortSignal, sinceMs?: number) {
    const ask = { ask: 'job', repo: ref.repo, jobId: ref.jobId } as const;
    const { value, askedAtMs } = await this.get(ask, signal, sinceMs);
    return { ...read(shapes.job, value), askedAtMs };
  }

  learnInstallation(owner: string, installationId: number): void {
    this.options.own.learnInstallation(owner, installationId);
  }

  /**
   * A sweep is complete here, so others can get the same answers at once. `startedAtMs` is in ms since 1970 by our
   * clock.
   */
  tellSwept(name: string, startedAtMs: number): void {
    if (this.asks) this.peers.tell({ swept: name, ageMs: this.options.now() - startedAtMs });
  }

  close(): Promise<void> {
    return this.peers.close();
  }

  private async get(what: Question, signal: AbortSignal, wantedSinceMs?: number): Promise<Kept> {
    const { now } = this.options;
    const sinceMs = wantedSinceMs ?? now();
    for (;;) {
      const kept = this.kept.get(JSON.stringify(what));
      if (kept !== undefined && kept.askedAtMs >= sinceMs) return kept;
      const { term } = this.peers;
      try {
        if (term !== undefined) return await this.fly(what, sinceMs, AbortSignal.any([signal, term]));
        const sentAtMs = now();
        const maxAgeMs = Math.max(0, sentAtMs - sinceMs) + (wantedSinceMs === undefined ? 0 : slackMs);
        const reply = await this.peers.ask({ question: what, maxAgeMs }, signal);
        if (reply !== undefined) return this.take(what, reply, sentAtMs);
      } catch (reason) {
        // The lease was lost. Its next holder gets the question.
        if (term?.aborted !== true || signal.aborted) throw reason;
      }
    }
  }

  /** Takes another pod's answer. Its age counts back from `sentAtMs`, when the question was sent by our clock. */
  private take(what: Question, reply: unknown, sentAtMs: number): Kept {
    const { value, ageMs, quota, githubNowMs } = read(answered, reply);
    const nowMs = this.options.now();
    const left = quota && { ...quota, resetAtMs: nowMs + quota.resetInMs };
    this.told = { quota: left, clockOffsetMs: githubNowMs - nowMs };
    if (left !== undefined) this.options.told(left);
    return this.keep(what, { value, askedAtMs: sentAtMs - ageMs });
  }

  private async answer(what: unknown, term: AbortSignal): Promise<unknown> {
    const { own, now } = this.options;
    const { question: of, maxAgeMs } = read(asked, what);
    const sinceMs = now() - maxAgeMs;
    const kept = this.kept.get(JSON.stringify(of));
    const { value, askedAtMs } =
      kept !== undefined && kept.askedAtMs >= sinceMs ? kept : await this.fly(of, sinceMs, term);
    const { quota, clockOffsetMs } = own;
    const nowMs = now();
    return {
      value,
      ageMs: nowMs - askedAtMs,
      ...(quota && { quota: { ...quota, resetInMs: quota.resetAtMs - nowMs } }),
      githubNowMs: nowMs + clockOffsetMs,
    };
  }

  /** Asks GitHub, once for all who need the same. */
  private fly(what: Question, sinceMs: number, signal: AbortSignal): Promise<Kept> {
    const key = JSON.stringify(what);
    const known = this.flights.get(key);
    if (known !== undefined && known.beganAtMs >= sinceMs) return known.answer;
    const beganAtMs = this.options.now();
    const answer = this.asked(signal, () => this.askGitHub(what, signal)).then((kept) =>
      this.keep(what, kept),
    );
    const flight = { beganAtMs, answer };
    const over = (): void => {
      if (this.flights.get(key) === flight) this.flights.delete(key);
    };
    this.flights.set(key, flight);
    answer.then(over, over);
    return answer;
  }

  private async askGitHub(what: Question, signal: AbortSignal): Promise<Kept> {
    const { own, now } = this.options;
    switch (what.ask) {
      case 'repositories': {
        const askedAtMs = now();
        return { value: await own.repositories(signal), askedAtMs };
      }
      case 'openRuns':
        return apart(await own.openRuns(what.repo, signal));
      case 'jobsOf':
        return apart(await own.jobsOf(what, signal));
      case 'job':
        return apart(await own.job(what, signal));
    }
  }

  /** Asks GitHub, and lets the peers know whether it answers. */
  private async asked<T>(signal: AbortSignal, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      const answer = await ask(signal);
      this.peers.asked(undefined);
      return answer;
    } catch (reason) {
      const error = ScalerError.from(reason, 'unavailable');
      // Any other pod would hear the same of a limit, or of something that is not there.
      const isAnswer = error.code === 'not_found' || error.retryAfterMs !== undefined;
      if (!signal.aborted) this.peers.asked(isAnswer ? undefined : error);
      throw reason;
    }
  }

  private keep(what: Question, kept: Kept): Kept {
    const key = JSON.stringify(what);
    const before = this.kept.get(key);
    if (before === undefined || before.askedAtMs <= kept.askedAtMs)
      this.kept.set(key, kept, { size: answerBytes + key.length + thingBytes * thingsIn(kept.value) });
    return kept;
  }

  /** A signal for requests that only the pod with the lease may send. */
  private during(signal: AbortSignal): AbortSignal {
    const { term } = this.peers;
    if (term === undefined) throw new ScalerError('unavailable', 'another pod asks GitHub now');
    return AbortSignal.any([signal, term]);
  }
}

function apart({ askedAtMs, ...value }: { readonly askedAtMs: number }): Kept {
  return { value, askedAtMs };
}

function thingsIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let things = 0;
  for (const part of Object.values(value)) if (Array.isArray(part)) things += part.length;
  return things;
}

function read<T>(shape: z.ZodType<T>, value: unknown): T {
  const { success, data } = shape.safeParse(value);
  if (success) return data;
  throw new ScalerError(
    'unavailable',
    'another pod answers what this one does not understand: is it of another version?',
  );
}
