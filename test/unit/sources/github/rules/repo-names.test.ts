import { describe, expect, it } from 'vitest';
import { fullNames, isName, isRepoName, repoOf } from '../../../../../src/sources/github/rules/repo-names.ts';

describe('a repository', () => {
  it.each([
    ['Acme', 'Web', 'acme/web'],
    ['octo_acme', '.github', 'octo_acme/.github'],
    ['acme', '...', 'acme/...'],
    ['acme', '..', undefined],
    ['.', 'web', undefined],
    ['acme', '', undefined],
    ['acme', 'web/issues', undefined],
    ['acme', 'web\n', undefined],
    ['acme', 'x'.repeat(101), undefined],
  ])('%j and %j is %j', (owner, name, repo) => {
    expect(repoOf(owner, name)).toBe(repo);
  });

  it('has one spelling, however it is named', () => {
    expect(fullNames('Acme', ['Web', 'acme/web', 'API'])).toEqual(['acme/api', 'acme/web']);
    expect(fullNames('acme', [])).toEqual([]);
  });

  it('is a name, or an owner and a name', () => {
    expect(isRepoName('web')).toBe(true);
    expect(isRepoName('acme/web')).toBe(true);
    expect(isRepoName('acme/web/x')).toBe(false);
    expect(isName('acme/web')).toBe(false);
  });
});
