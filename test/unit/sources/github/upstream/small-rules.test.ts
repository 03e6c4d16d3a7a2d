import { describe, expect, it } from 'vitest';
import { nextQuery } from '../../../../../src/sources/github/upstream/client.ts';
import { said } from '../../../../../src/sources/github/upstream/errors.ts';
import { repoPath } from '../../../../../src/sources/github/upstream/runs.ts';

describe('the next page', () => {
  it.each([
    [null, undefined],
    ['', undefined],
    [
      '<https://api.github.com/x?page=1>; rel="prev", <https://api.github.com/x?page=3>; rel="next"',
      'page=3',
    ],
    ['<https://evil.example/x?cursor=v1_2>; rel=next', 'cursor=v1_2'],
    ['<https://api.github.com/x?page=9>; rel="last"', undefined],
    ['<https://api.github.com/x>; rel="next"', undefined],
    ['garbage; rel="next"', undefined],
  ])('of %s is %s', (link, query) => {
    expect(nextQuery(link)).toBe(query);
  });
});

describe('a repository’s path', () => {
  it('has owner and name', () => {
    expect(repoPath('acme/shop.js')).toEqual({ owner: 'acme', path: '/repos/acme/shop.js' });
  });

  it.each([
    'acme',
    'acme/',
    '/shop',
    'acme/..',
    '../user',
    './x',
    'a/b/c',
    'acme/sh op',
    'acme/x?y',
    'acme/%2e%2e',
  ])('is refused for %s', (repo) => {
    expect(() => repoPath(repo)).toThrow('is no repository');
  });
});

describe('GitHub’s own reason', () => {
  it.each([
    ['{"message":"Not Found"}', 'Not Found'],
    ['<html>ghp_secret</html>', ''],
    ['{"message":{"a":1}}', ''],
    ['null', ''],
    ['{"message":"you sent ghs_abcDEF123 and\\n eyJhbGci.eyJpc3Mi.sig-x"}', 'you sent … and …'],
    ['{"message":"github_pat_11AAA_bbb refused"}', '… refused'],
  ])('in %s', (text, message) => {
    expect(said({ text })).toBe(message);
  });

  it('is cut', () => {
    expect(said({ text: JSON.stringify({ message: 'x'.repeat(5_000) }) })).toHaveLength(200);
  });
});
