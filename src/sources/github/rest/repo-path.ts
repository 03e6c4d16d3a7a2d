import { ScalerError } from '../../../errors.ts';

/** `owner/name` as GitHub allows it; `.` and `..` would be another path. */
const fullName = /^([\w.-]+)\/(?!\.{1,2}$)([\w.-]+)$/;

export interface RepoPath {
  readonly owner: string;
  /** `/repos/owner/name` */
  readonly path: string;
}

/** Throws ScalerError `invalid` for what is no `owner/name`. */
export function repoPath(repo: string): RepoPath {
  const owner = fullName.exec(repo)?.[1];
  if (owner === undefined || /^\.{1,2}$/.test(owner)) {
    throw new ScalerError(
      'invalid',
      `${JSON.stringify(repo.slice(0, 140))} is no repository: write it as owner/name`,
    );
  }
  return { owner, path: `/repos/${repo}` };
}
