import { createHash } from 'node:crypto';
import type { Run } from '../world/run.ts';
import { timestamp } from './urls.ts';

const shas = new WeakMap<Run, string>();

/** The SHA of a run's commit. */
export function commitOf(run: Run): string {
  const known = shas.get(run);
  if (known !== undefined) return known;
  const sha = createHash('sha1').update(`${run.repo.fullName}#${run.number}`).digest('hex');
  shas.set(run, sha);
  return sha;
}

export function headCommit(run: Run) {
  const person = { name: 'The Octocat', email: 'octocat@example.com' };
  return {
    id: commitOf(run),
    tree_id: commitOf(run),
    message: 'Update the workflow',
    timestamp: timestamp(run.createdAtMs),
    author: person,
    committer: person,
  };
}
