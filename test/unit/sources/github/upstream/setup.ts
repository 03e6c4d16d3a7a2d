import { generateKeyPairSync } from 'node:crypto';
import { afterEach } from 'vitest';
import type { ScalerError } from '../../../../../src/errors.ts';
import type { GitHubApi } from '../../../../../src/sources/github/upstream/api.ts';
import { createGitHubApi, type GitHubApiOptions } from '../../../../../src/sources/github/upstream/github.ts';
import { recordingLog } from '../../../../support/recording-log.ts';
import { type Script, ScriptedGitHub } from './scripted-github.ts';

export const appKey = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const appPem = appKey.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
export const token = 'ghp_0123456789abcdefghijABCDEFGHIJ012345';
export const never = new AbortController().signal;

/** 2027-01-01T00:00:00Z: GitHub's time and ours, unless a test says otherwise. */
export const startMs = Date.UTC(2027, 0, 1);

export interface Setup {
  github: ScriptedGitHub;
  api: GitHubApi;
  /** Sets our clock. */
  clock: { nowMs: number };
  /** `operation outcome` of each request counted. */
  counted: string[];
  remaining: number[];
  log: ReturnType<typeof recordingLog>;
}

/** Our clock in the running test. */
export const clock = { nowMs: startMs };
const open: ScriptedGitHub[] = [];

afterEach(async () => {
  for (const github of open.splice(0)) await github.close();
});

export async function scripted(script: Script): Promise<ScriptedGitHub> {
  const github = await ScriptedGitHub.start(script);
  open.push(github);
  return github;
}

/** An API with a token for `acme`, in front of a script. Answers are dated by `startMs`. */
export async function setup(script: Script, options: Partial<GitHubApiOptions> = {}): Promise<Setup> {
  clock.nowMs = startMs;
  const github = await scripted((seen) => {
    const reply = script(seen);
    if (typeof reply === 'function') return reply;
    const date = new Date(clock.nowMs).toUTCString();
    return { ...reply, headers: { date, ...reply.headers } };
  });
  const counted: string[] = [];
  const remaining: number[] = [];
  const log = recordingLog();
  const api = createGitHubApi({
    owner: 'acme',
    scope: 'org',
    apiUrl: github.url,
    auth: { kind: 'token', token },
    requestTimeoutMs: 5_000,
    metrics: {
      request: (operation, outcome) => void counted.push(`${operation} ${outcome}`),
      rateLimitRemaining: (requests) => void remaining.push(requests),
      corrected() {},
    },
    log,
    now: () => clock.nowMs,
    ...options,
  });
  return { github, api, clock, counted, remaining, log };
}

/** The error of a promise that must reject with one. */
export async function failure(asked: Promise<unknown> | undefined): Promise<ScalerError> {
  const outcome = await asked?.then(
    (value) => ({ value }),
    (error: ScalerError) => error,
  );
  if (outcome instanceof Error) return outcome;
  throw new Error(`was not rejected, but answered ${JSON.stringify(outcome)}`);
}
