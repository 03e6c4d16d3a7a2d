import { afterEach, describe, expect, it, vi } from 'vitest';
import { epochNowMs } from '../../../../src/clock.ts';
import { githubConfig } from '../../../../src/sources/github/config.ts';
import { connect, GitHubConnection } from '../../../../src/sources/github/connection.ts';
import type { GitHubSnapshot } from '../../../../src/sources/github/rules/backlog.ts';
import type { JobFact } from '../../../../src/sources/github/rules/job.ts';
import type { InboundEvent } from '../../../../src/sources/inbound.ts';
import type { ConnectionDeps, Delivered, Subject } from '../../../../src/sources/source.ts';
import { silentLogger } from '../../../../src/telemetry/log.ts';
import { silence, unmeasured } from '../../../support/connection-deps.ts';
import { SmallGitHub } from './small-github.ts';
import { paramsOf } from './trigger-params.ts';

const token = 'ghp_x';
const webhookSecret = 'a-secret-of-ours';
let nextJobId = 1;
const opened: GitHubConnection[] = [];

afterEach(async () => {
  for (const connection of opened.splice(0)) await connection.close();
});

const queued = (repo: string): JobFact => {
  nextJobId += 1;
  const ids = { jobId: nextJobId, runId: 1000 + nextJobId, runAttempt: 1 };
  return {
    kind: 'job',
    ...ids,
    repo,
    labels: ['gpu'],
    status: 'queued',
    sinceMs: epochNowMs(),
    gated: false,
  };
};

function open(entry: object = {}, github = new SmallGitHub()) {
  const woken: string[] = [];
  let take: ((event: InboundEvent) => void) | undefined;
  const deps: ConnectionDeps = {
    name: 'ci',
    log: silentLogger,
    metrics: unmeasured,
    same: () => false,
    events: {
      ...silence,
      follow: (taker, replayed) => {
        take = taker;
        replayed?.();
        return () => {
          take = undefined;
        };
      },
    },
    wake: (key, cause) => woken.push(`${key} ${cause}`),
  };
  const config = githubConfig.parse({ owner: 'Acme', token, webhookSecret, ...entry });
  const connection = new GitHubConnection(config, deps, github);
  opened.push(connection);
  const event = (fact: unknown): void =>
    take?.({ connection: 'ci', type: 'workflow_job.queued', id: 'x', receivedAtMs: epochNowMs(), fact });
  const read = async (repos?: string): Promise<Delivered<GitHubSnapshot>> => {
    const { key, need } = connection.subject(paramsOf(repos === undefined ? {} : { repos }));
    const subject: Subject<typeof need> = { key, needs: [need], maxStalenessMs: 3_600_000 };
    const delivered: Delivered<GitHubSnapshot>[] = [];
    await connection.read([subject], (_, result) => {
      if ('snapshot' in result) delivered.push(result);
    });
    const [one] = delivered;
    if (!one || delivered.length > 1) throw new Error('a read delivers once');
    return one;
  };
  const followed = (): boolean => take !== undefined;
  return { connection, github, event, read, woken, followed };
}

const countOf = ({ snapshot }: Delivered<GitHubSnapshot>, repo?: string): number =>
  [...snapshot.jobs.counts(repo)].reduce((sum, { queued: jobs }) => sum + jobs, 0);

describe('the subject of a github trigger', () => {
  it.each([
    [{}, undefined, '*', []],
    [{}, 'Web', 'acme/web', ['acme/web']],
    [{}, 'web, api,ACME/web', 'acme/api,acme/web', ['acme/api', 'acme/web']],
    [{ repos: ['Web', 'acme/api'] }, undefined, 'acme/api,acme/web', ['acme/api', 'acme/web']],
    [{ repos: ['web'] }, 'api', 'acme/api', ['acme/api']],
    [{ scope: 'ent', repos: ['a/web'] }, undefined, '*', []],
    [{ scope: 'ent', repos: ['a/web'] }, 'b/web', 'b/web', ['b/web']],
  ])('of a connection with %j and repos %s is %s', (entry, repos, key, names) => {
    const { connection } = open(entry);
    const params = paramsOf(repos === undefined ? {} : { repos });
    expect(connection.subject(params)).toEqual({ key, hintNames: names, need: { repos: names } });
  });
});

describe('a github connection', () => {
  it('is read at once, with the events so far, before the first sync', async () => {
    const github = new SmallGitHub();
    github.down = true;
    const { event, read } = open({}, github);
    event(queued('acme/web'));
    const delivered = await read();
    expect(delivered.snapshot.covered.kind).toBe('unsynced');
    expect(delivered.confirmedAtMs).toBeUndefined();
    expect(countOf(delivered)).toBe(1);
    expect(countOf(await read('web'), 'acme/web')).toBe(1);
    expect(countOf(await read('api'), 'acme/api')).toBe(0);
  });

  it('is confirmed by its reconcile, on the clock of subjects', async () => {
    const github = new SmallGitHub();
    github.jobs.set('acme/web', [queued('acme/web')]);
    const beforeMs = performance.now();
    const { connection, read } = open({}, github);
    await connection.firstSync(new AbortController().signal);
    const { snapshot, confirmedAtMs } = await read();
    expect(snapshot.covered.kind).toBe('synced');
    expect(confirmedAtMs).toBeGreaterThanOrEqual(beforeMs);
    expect(confirmedAtMs).toBeLessThanOrEqual(performance.now());
    expect(countOf({ snapshot })).toBe(1);
  });

  it('wakes only the subjects that have the repository of an event', async () => {
    const { event, read, woken } = open();
    event(queued('acme/web'));
    expect(woken).toEqual([]);
    await read();
    await read('web');
    await read('api');
    await read('api,web');
    woken.length = 0;
    event(queued('acme/web'));
    expect(woken.sort()).toEqual(['* webhook', 'acme/api,acme/web webhook', 'acme/web webhook']);
  });

  it('wakes nothing for an event that changes no count', async () => {
    const { event, read, woken } = open();
    await read();
    const job = queued('acme/web');
    event(job);
    woken.length = 0;
    event(job);
    event({ ...job, status: 'waiting' });
    expect(woken).toEqual([]);
    event({ ...job, status: 'completed' });
    expect(woken).toEqual(['* webhook']);
  });

  it('ends the jobs of a completed run', async () => {
    const { event, read } = open();
    const { repo, runId, runAttempt, ...job } = queued('acme/web');
    event({ ...job, repo, runId, runAttempt });
    expect(countOf(await read())).toBe(1);
    event({ kind: 'run', repo, runId, runAttempt, status: 'completed' });
    expect(countOf(await read())).toBe(0);
  });

  it('wakes for the findings of a reconcile', async () => {
    const github = new SmallGitHub();
    github.jobs.set('acme/web', [queued('acme/web')]);
    const { connection, read, woken } = open({ repos: ['web'] }, github);
    await read();
    await connection.firstSync(new AbortController().signal);
    await vi.waitFor(() => expect(woken).toContain('acme/web reconcile'));
    expect(countOf(await read())).toBe(1);
  });

  it('wakes subjects of the whole owner when all of it has been read', async () => {
    const github = new SmallGitHub();
    github.jobs.set('acme/web', []);
    const { connection, read, woken } = open({}, github);
    expect((await read()).snapshot.covered.kind).toBe('unsynced');
    await connection.firstSync(new AbortController().signal);
    await vi.waitFor(() => expect(woken).toContain('* reconcile'));
    expect((await read()).snapshot.covered.kind).toBe('synced');
  });

  it.each([[null], ['x'], [{}], [{ kind: 'job' }], [{ kind: 'other', repo: 'acme/web' }]])(
    'leaves out an event that holds %j',
    async (fact) => {
      const { event, read } = open();
      expect(() => event(fact)).not.toThrow();
      expect(countOf(await read())).toBe(0);
    },
  );

  it("ignores events that were kept for another owner under the connection's name", async () => {
    const { event, read } = open();
    event(queued('globex/web'));
    expect(countOf(await read())).toBe(0);
    const enterprise = open({ scope: 'ent' });
    enterprise.event(queued('globex/web'));
    expect(countOf(await enterprise.read())).toBe(1);
  });

  it('ignores events once it is closed', async () => {
    const { connection, followed } = open();
    expect(followed()).toBe(true);
    await connection.close();
    expect(followed()).toBe(false);
  });
});

describe('a connection without a webhook secret', () => {
  const warnings = async (entry: object): Promise<string[]> => {
    const said: string[] = [];
    const log = { ...silentLogger, warn: (_: object, message: string) => said.push(message) };
    // Nothing listens there.
    const config = githubConfig.parse({ owner: 'acme', token, apiUrl: 'http://127.0.0.1:9', ...entry });
    const same = () => false;
    const deps = { name: 'ci', log, metrics: unmeasured, events: silence, wake() {}, same };
    const connection = connect(config, deps);
    await connection.close();
    return said.filter((message) => message.includes('webhook secret'));
  };

  it('logs once how late jobs are seen', async () => {
    expect(await warnings({})).toEqual(['without a webhook secret jobs are only seen every sweepSeconds']);
    expect(await warnings({ webhookSecret })).toEqual([]);
    expect(await warnings({ webhookSecrets: [webhookSecret, 'another-of-ours-'] })).toEqual([]);
  });
});
