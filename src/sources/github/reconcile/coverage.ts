import { ScalerError } from '../../../errors.ts';
import type { Coverage, Covered } from '../rules/snapshot.ts';
import { clockTime } from './clock-time.ts';
import type { RepoBook } from './repo-book.ts';

export interface RepoCoverageOptions {
  readonly book: RepoBook;
  readonly owner: string;
  /** Whether there is a list of all of the owner's repositories: GitHub's, or the configured one. */
  readonly hasList: boolean;
  /** Why GitHub is not asked now: it wants us to stay away. */
  readonly paused: () => string | undefined;
  /** Until when sweeps are held back, since GitHub's limit is nearly used up; 0 where they are not. */
  readonly heldUntilMs: () => number;
  /** Why there is no list. */
  readonly listError: () => ScalerError | undefined;
}

/** Which repositories have been read, from memory. */
export class RepoCoverage implements Coverage {
  private readonly options: RepoCoverageOptions;

  constructor(options: RepoCoverageOptions) {
    this.options = options;
  }

  of(repos: readonly string[]): Covered {
    return repos.length === 0 ? this.ofOwner() : this.ofNamed(repos);
  }

  private ofOwner(): Covered {
    const { book, owner, hasList, listError } = this.options;
    if (!hasList) return unsynced('unavailable', noList(owner));
    const missing = book.missing();
    if (book.allMissing)
      return unsynced('not_found', missing.length > 0 ? notThere(missing) : noneThere(owner));
    const confirmedAtMs = book.confirmedAtMs;
    if (confirmedAtMs !== undefined) return covered(missing, confirmedAtMs);
    const remaining = book.firstRemaining;
    if (!remaining) return this.notYet(`the repositories of ${owner} have not been listed yet`, listError());
    const error = firstOf(remaining, (name) => book.get(name)?.error) ?? this.held();
    const text = `${remaining.size} of the repositories of ${owner} have not been read from GitHub yet`;
    return this.notYet(text, error);
  }

  private held(): ScalerError | undefined {
    const heldUntilMs = this.options.heldUntilMs();
    if (heldUntilMs === 0) return undefined;
    const why = `its limit is nearly used up, and the rest is kept for verifying until ${clockTime(heldUntilMs)}`;
    return new ScalerError('unavailable', why);
  }

  private ofNamed(repos: readonly string[]): Covered {
    const { book } = this.options;
    const missing = book.missing(repos);
    if (missing.length === repos.length) return unsynced('not_found', notThere(missing));
    let confirmedAtMs = Number.POSITIVE_INFINITY;
    for (const name of repos) {
      const repo = book.get(name);
      if (repo?.missing) continue;
      if (repo?.sweptAtMs === undefined) {
        const unseen = book.isUnseen(name) ? new ScalerError('unavailable', unseenWaits) : undefined;
        return this.notYet(`${name} has not been read from GitHub yet`, repo?.error ?? unseen);
      }
      confirmedAtMs = Math.min(confirmedAtMs, repo.sweptAtMs);
    }
    return covered(missing, confirmedAtMs);
  }

  private notYet(text: string, error: ScalerError | undefined): Covered {
    const why = this.options.paused() ?? error?.message;
    const code = error?.code === 'not_found' ? 'not_found' : 'unavailable';
    return unsynced(code, why === undefined ? text : `${text}: ${why}`);
  }
}

function covered(missing: readonly string[], confirmedAtMs: number): Covered {
  if (missing.length === 0) return { kind: 'synced', confirmedAtMs };
  return { kind: 'missing', repos: missing, confirmedAtMs };
}

function unsynced(code: 'unavailable' | 'not_found', message: string): Covered {
  return { kind: 'unsynced', error: new ScalerError(code, message) };
}

function firstOf<T>(names: Iterable<string>, pick: (name: string) => T | undefined): T | undefined {
  for (const name of names) {
    const picked = pick(name);
    if (picked !== undefined) return picked;
  }
  return undefined;
}

function notThere(repos: readonly string[]): string {
  const named = repos.length > 5 ? `${repos.slice(0, 5).join(', ')}, …` : repos.join(', ');
  return `GitHub does not know ${named}: check the names, and that the App is installed on them or the token may read them`;
}

const unseenWaits =
  'no list and no event has it, and such names wait for all others; check the name, or name it in `repos` of the connection';

function noneThere(owner: string): string {
  return `GitHub lists repositories of ${owner} but answers 404 for the runs of each: let the App or the token read them (Actions: read)`;
}

function noList(owner: string): string {
  return `GitHub has no list of the runs or repositories of an enterprise (${owner}): name \`repos\` on the trigger or on the connection`;
}
