import { describe, expect, it } from 'vitest';
import { Etags } from '../../../../../src/sources/github/upstream/client.ts';

function kept(value: string) {
  return { value, next: undefined, etag: `"${value}"` };
}

describe('kept answers', () => {
  it('are found by path, for the token that got them', () => {
    const etags = new Etags<string>();
    etags.set('/a', 1, kept('one'));
    expect(etags.get('/a', 1)?.value).toBe('one');
    expect(etags.get('/b', 1)).toBeUndefined();
    expect(etags.get('/a', 2)).toBeUndefined();
    expect(etags.get('/a', 1), 'dropped: its token is gone').toBeUndefined();
  });

  it('are bounded: the least used goes first', () => {
    const etags = new Etags<string>({ maxBytes: 700 });
    etags.set('/a', 1, kept('a'));
    etags.set('/b', 1, kept('b'));
    etags.get('/a', 1);
    etags.set('/c', 1, kept('c'));
    expect(['/a', '/b', '/c'].map((path) => etags.get(path, 1)?.value)).toEqual(['a', undefined, 'c']);
  });

  it('are bounded in bytes, and replacing gives the bytes back', () => {
    const etags = new Etags<string>({ maxBytes: 10_000 });
    for (let round = 0; round < 50; round += 1) etags.set('/a', 1, kept('x'.repeat(3_000)));
    expect(etags.get('/a', 1)).toBeDefined();
    etags.set('/b', 1, kept('x'.repeat(3_000)));
    expect(etags.get('/a', 1)).toBeUndefined();
    expect(etags.get('/b', 1)).toBeDefined();
    etags.set('/huge', 1, kept('x'.repeat(10_000)));
    expect(etags.get('/huge', 1), 'too large to be kept at all').toBeUndefined();
    expect(etags.get('/b', 1)).toBeDefined();
  });
});
