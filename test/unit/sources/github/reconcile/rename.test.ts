import { describe, expect, it } from 'vitest';
import { type Reconciling, reconciling } from './reconciling.ts';

/** `acme/web` with three queued jobs, and `acme/api`, both read. */
async function synced(): Promise<Reconciling> {
  const at = reconciling({ repos: ['acme/web', 'acme/api'] });
  for (const job of [11, 12, 13]) at.hear(at.github.put('acme/web', 1, job));
  await at.seconds(5);
  return at;
}

const said = (at: Reconciling, about: RegExp) => at.log.lines.filter(({ message }) => about.test(message));
const renamed = /was renamed/;

/** The smallest count of the names, sampled every 10 s. */
async function leastCounted(at: Reconciling, names: readonly string[], seconds: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let passed = 0; passed < seconds; passed += 10) {
    for (const name of names) {
      at.reconciler.need([name], 3_600_000);
      if (at.coverage.of([name]).kind === 'synced') least = Math.min(least, at.counted(name));
    }
    await at.seconds(10);
  }
  return least;
}

describe('a repository that is renamed', () => {
  it('counts the same jobs by both names, whatever reports it first, and is logged once', async () => {
    const tellers = {
      'a webhook': (at: Reconciling) => at.hear(at.github.put('acme/shop', 1, 11, 'in_progress')),
      'the list': (at: Reconciling) => at.seconds(21_600),
      'the redirect of its old name': (at: Reconciling) => at.seconds(901),
      'the redirect of one of its runs': (at: Reconciling) => at.seconds(331),
    };
    for (const [teller, tell] of Object.entries(tellers)) {
      const at = await synced();
      at.github.rename('acme/web', 'acme/shop');
      await tell(at);
      expect(await leastCounted(at, ['acme/web', 'acme/shop'], 1000), teller).toBe(3);
      expect(at.counted(), teller).toBe(3);
      expect(at.coverage.of(['acme/shop']), teller).toMatchObject({ kind: 'synced' });
      expect(at.coverage.of([]), teller).toMatchObject({ kind: 'synced' });
      expect(at.reconciler.distinct(['acme/shop', 'acme/web']), teller).toHaveLength(1);
      at.woken.length = 0;
      at.hear(at.github.put('acme/shop', 9, 91));
      expect(at.woken.sort(), teller).toEqual(['acme/shop webhook', 'acme/web webhook']);
      const lines = said(at, renamed);
      expect(
        lines.map(({ fields }) => fields),
        teller,
      ).toEqual([{ was: 'acme/web', is: 'acme/shop' }]);
      await at.reconciler.close();
    }
  });

  it('is unread under its new name before the change is known', async () => {
    const at = await synced();
    at.github.rename('acme/web', 'acme/shop');
    expect(at.coverage.of(['acme/shop'])).toMatchObject({ kind: 'unsynced' });
    at.reconciler.need(['acme/shop'], undefined);
    await at.seconds(2);
    expect(at.counted('acme/shop')).toBe(3);
    expect(at.counted()).toBe(3);
  });

  it('is requested and healed by its new name', async () => {
    const at = await synced();
    at.github.rename('acme/web', 'acme/shop');
    await at.seconds(901);
    const before = at.github.calls.length;
    at.github.put('acme/shop', 1, 11, 'completed');
    await at.seconds(1800);
    expect(at.counted('acme/web')).toBe(2);
    expect(new Set(at.github.calls.slice(before).map(({ about }) => about))).not.toContain('acme/web');
  });

  it('and was so before the start is known by its old name too', async () => {
    const at = reconciling({
      repos: ['acme/web'],
      prepare: (github) => {
        github.put('acme/web', 1, 11);
        github.rename('acme/web', 'acme/shop');
      },
    });
    at.reconciler.need(['acme/web'], undefined);
    await at.seconds(5);
    expect(at.coverage.of(['acme/web'])).toMatchObject({ kind: 'synced' });
    expect(at.counted('acme/web')).toBe(1);
    expect(at.counted()).toBe(1);
    expect(said(at, renamed)).toHaveLength(1);
  });

  it('without open runs is only found by its redirect', async () => {
    const at = reconciling({ settings: { repos: ['acme/web', 'acme/api'] } });
    await at.seconds(5);
    at.github.rename('acme/web', 'acme/shop');
    await at.seconds(901);
    at.hear(at.github.put('acme/shop', 1, 11));
    expect(at.counted('acme/web')).toBe(1);
    expect(at.coverage.of([])).toMatchObject({ kind: 'synced' });
  });

  it('and renamed back is as before', async () => {
    const at = await synced();
    at.github.rename('acme/web', 'acme/shop');
    await at.seconds(901);
    at.github.rename('acme/shop', 'acme/web');
    await at.seconds(1801);
    expect(at.counted('acme/web')).toBe(3);
    expect(at.counted('acme/shop')).toBe(3);
  });

  it('does not get its old name back from an old webhook', async () => {
    const at = await synced();
    at.github.rename('acme/web', 'acme/shop');
    await at.seconds(901);
    const before = at.github.calls.length;
    const { id: repoId } = at.github.identityOf('acme/web');
    const old = {
      kind: 'run',
      repo: 'acme/web',
      repoId,
      runId: 1,
      runAttempt: 1,
      status: 'in_progress',
    } as const;
    at.reconciler.take(old, at.clock.nowMs);
    await at.seconds(901);
    expect(new Set(at.github.calls.slice(before).map(({ about }) => about))).not.toContain('acme/web');
    expect(said(at, renamed)).toHaveLength(1);
  });

  it('also counts jobs that earlier webhooks reported only by its new name', async () => {
    const at = reconciling({ repos: ['acme/web', 'acme/api'] });
    at.hear(at.github.put('acme/web', 1, 11));
    await at.seconds(5);
    at.github.rename('acme/web', 'acme/shop');
    const job = at.github.put('acme/shop', 2, 21);
    at.reconciler.take({ kind: 'job', ...job }, at.clock.nowMs);
    expect([at.counted('acme/web'), at.counted('acme/shop')]).toEqual([1, 1]);
    await at.seconds(21_600);
    expect([at.counted('acme/web'), at.counted('acme/shop'), at.counted()]).toEqual([2, 2, 2]);
  });

  it('also counts jobs heard under its new name before its owner was known', async () => {
    const at = reconciling({ settings: { repos: ['acme/web', 'acme/api'] } });
    await at.seconds(5);
    at.github.rename('acme/web', 'acme/shop');
    at.hear(at.github.put('acme/shop', 1, 11));
    await at.seconds(901);
    expect([at.counted('acme/web'), at.counted('acme/shop'), at.counted()]).toEqual([1, 1, 1]);
    at.github.put('acme/shop', 1, 11, 'completed');
    await at.seconds(1800);
    expect(at.counted('acme/web')).toBe(0);
  });

  it('leaves its name to another, which has its own jobs', async () => {
    const at = await synced();
    at.github.rename('acme/web', 'acme/shop');
    await at.seconds(901);
    at.github.create('acme/web');
    at.hear(at.github.put('acme/web', 5, 51));
    await at.seconds(901);
    expect(at.counted('acme/web')).toBe(1);
    expect(at.counted('acme/shop')).toBe(3);
    expect(at.counted()).toBe(4);
  });

  it('loses no job to another that takes its name at once', async () => {
    const at = await synced();
    at.github.rename('acme/web', 'acme/shop');
    at.github.create('acme/web');
    at.hear(at.github.put('acme/web', 5, 51));
    await at.seconds(1801);
    expect(at.counted('acme/web')).toBe(1);
    expect(at.counted('acme/shop')).toBe(3);
    expect(at.coverage.of([])).toMatchObject({ kind: 'synced' });
  });

  it('keeps up to ten names', async () => {
    const at = await synced();
    const { id: repoId } = at.github.identityOf('acme/web');
    for (let i = 0; i < 50; i += 1) {
      const fact = { kind: 'run', repo: `acme/n${i}`, repoId, runId: 1, runAttempt: 1 } as const;
      at.reconciler.take({ ...fact, status: 'in_progress' }, at.clock.nowMs);
    }
    for (const [name, jobs] of [
      ['n49', 3],
      ['n40', 3],
      ['n39', 0],
      ['web', 0],
    ] as const)
      expect(at.counted(`acme/${name}`), name).toBe(jobs);
  });
});

describe('a repository that is transferred to another owner', () => {
  it('no longer counts here, and its trigger says where it is', async () => {
    const at = await synced();
    at.github.rename('acme/web', 'labs/web');
    at.reconciler.need(['acme/web'], undefined);
    await at.seconds(901);
    expect(at.counted()).toBe(0);
    const covered = at.coverage.of(['acme/web']);
    expect(covered).toMatchObject({ kind: 'unsynced', error: { code: 'not_found' } });
    expect(covered.kind === 'unsynced' && covered.error.message).toMatch(
      /is labs\/web now: name the connection/,
    );
    expect(at.coverage.of([])).toMatchObject({ kind: 'synced' });
    expect(said(at, /does not know these/)).toHaveLength(1);
    expect(said(at, renamed)).toEqual([]);
    expect(said(at, /transferred/).map(({ fields }) => fields)).toEqual([
      { was: 'acme/web', is: 'labs/web' },
    ]);
  });

  it('no longer counts even if nothing else is read', async () => {
    const at = reconciling({ settings: { repos: ['acme/web'] } });
    at.hear(at.github.put('acme/web', 1, 11));
    await at.seconds(5);
    at.github.rename('acme/web', 'labs/web');
    await at.seconds(901);
    expect(at.counted()).toBe(0);
    expect(at.coverage.of([])).toMatchObject({ kind: 'unsynced', error: { code: 'not_found' } });
  });

  it('still counts in an enterprise that has both owners', async () => {
    const at = reconciling({ scope: 'ent', settings: { repos: ['acme/web'] } });
    at.hear(at.github.put('acme/web', 1, 11));
    await at.seconds(5);
    at.github.rename('acme/web', 'labs/web');
    await at.seconds(901);
    expect(at.counted('labs/web')).toBe(1);
    expect(at.coverage.of(['acme/web'])).toMatchObject({ kind: 'synced' });
  });
});
