import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RepoDirectory } from '../../../../../src/sources/github/reconcile/directory.ts';

function opened() {
  const said: string[] = [];
  const directory = new RepoDirectory({
    joined: (from, to) => void said.push(`${from.key} joins ${to.key}`),
    rekeyed: (from, to) => void said.push(`${from} is under ${to}`),
    renamed: (was, is) => void said.push(`${was} is ${is}`),
  });
  return { directory, said };
}

describe('the owner of a name', () => {
  it('is the repository that GitHub named last, even after an old webhook of a forgotten one', () => {
    const { directory } = opened();
    const now = directory.learn({ id: 2, name: 'a/web' });
    const old = directory.heard('a/web', 1);
    expect(directory.get('a/web')).toBe(old);
    if (old) expect(directory.answered(old, { id: 2, name: 'a/web' })).toBe(false);
    expect(directory.get('a/web')).toBe(now);
    expect(now.key).not.toBe(old?.key);
  });

  it('is reported once if two names turn out to be one', () => {
    const { directory, said } = opened();
    const web = directory.learn({ id: 1, name: 'a/web' });
    const shop = directory.open('a/shop');
    expect(directory.answered(shop, { id: 1, name: 'a/shop' })).toBe(false);
    expect(directory.get('a/shop')).toBe(web);
    expect(directory.ofKey('a/shop')).toBe(web);
    directory.learn({ id: 1, name: 'a/web' });
    directory.learn({ id: 1, name: 'a/shop' });
    expect(said).toEqual(['a/shop joins a/web', 'a/shop is under a/web', 'a/web is a/shop']);
  });

  const name = fc.constantFrom('a/1', 'a/2', 'a/3', 'a/4');
  const id = fc.integer({ min: 1, max: 4 });
  const step = fc.oneof(
    fc.record({ by: fc.constant('list' as const), name, id }),
    fc.record({ by: fc.constant('webhook' as const), name, id: fc.option(id, { nil: undefined }) }),
    fc.record({ by: fc.constant('trigger' as const), name }),
    fc.record({ by: fc.constant('answer' as const), asked: name, name, id }),
    fc.record({ by: fc.constant('forget' as const), name }),
  );

  it('holds after whatever is heard: one repository for an id, a name and a key', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const { directory } = opened();
        for (const one of steps) {
          const asked = one.by === 'answer' ? directory.get(one.asked) : undefined;
          if (one.by === 'list') directory.learn(one);
          else if (one.by === 'webhook') directory.heard(one.name, one.id);
          else if (one.by === 'trigger') directory.open(one.name);
          else if (one.by === 'forget') {
            const gone = directory.get(one.name);
            if (gone) directory.forget(gone);
          } else if (asked) directory.answered(asked, one);
          const all = [...directory.all()];
          const ids = all.flatMap((repo) => repo.id ?? []);
          expect(new Set(ids).size).toBe(ids.length);
          for (const repo of all) {
            expect(directory.ofKey(repo.key)).toBe(repo);
            for (const each of repo.names) expect(directory.get(each)).toBe(repo);
          }
          if (one.by !== 'list' && asked === undefined) continue;
          if (one.by !== 'list' && one.by !== 'answer') continue;
          expect(directory.get(one.name)).toMatchObject({ id: one.id, name: one.name });
        }
      }),
      { numRuns: 1000 },
    );
  });
});
