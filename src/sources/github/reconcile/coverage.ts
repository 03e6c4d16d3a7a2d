import { ScalerError } from '../../../errors.ts';
import type { Covered } from '../rules/backlog.ts';
import { clockTime } from './agenda.ts';
import type { Repo } from './directory.ts';
import type { RepoBook } from './repos.ts';

export interface RepoCoverageOptions {
  readonly book: RepoBook;
  readonly owner: string;
  /** Whether a list of the owner's repositories exists: GitHub's, or the configured one. */
  readonly hasList: boolean;
  /** Why GitHub is not asked now, because it wants us to stay away. */
  readonly paused: () => string | undefined;
  /** Until when sweeps are held back because GitHub's limit is nearly used up. 0 if they are not. */
  readonly heldUntilMs: () => number;
  /** When the ledger last had no room for an open job. */
  readonly refusedAtMs: () => number;
  /** Why the list could not be read. */
  readonly listError: () => ScalerError | undefined;
}

/** Which repositories REST has been read for, so that their number is known. Answers from memory. */
export class RepoCoverage {
  private readonly options: RepoCoverageOptions;

  constructor(options: RepoCoverageOptions) {
    this.options = options;
  }

  /**
   * Covers the named repositories (`owner/name`, lower case), or without names all of the owner's. `confirmedAtMs` is
   * when the last reconcile of all of them was completed, in ms since 1970 by our clock. Without room for all of their
   * jobs since, they are covered in part.
   */
  of(repos: readonly string[]): Covered {
    const read = repos.length === 0 ? this.ofOwner() : this.ofNamed(repos);
    if (read.kind === 'unsynced' || this.options.refusedAtMs() < read.confirmedAtMs) return read;
    return { repos: [], fault: ledgerFull, ...read, kind: 'partial' };
  }

  private ofOwner(): Covered {
    const { book, owner, hasList, listError } = this.options;
    if (!hasList) return unsynced('unavailable', noList(owner));
    const missing = book.missing();
    if (book.allMissing)
      return unsynced('not_found', missing.length > 0 ? notThere(missing) : noneThere(owner));
    const confirmedAtMs = book.confirmedAtMs;
    if (book.nothingVisible) return unsynced('unavailable', nothingVisible(owner));
    if (confirmedAtMs !== undefined) return covered(missing, book.leftOut(), confirmedAtMs);
    const remaining = book.firstRemaining;
    if (!remaining) return this.notYet(`the repositories of ${owner} have not been listed yet`, listError());
    const error = [...remaining].find((repo) => repo.error !== undefined)?.error ?? this.held();
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
    if (missing.length === repos.length)
      return unsynced('not_found', notThere(missing, book.get(repos[0] ?? '')));
    const leftOut: Repo[] = [];
    let confirmedAtMs = Number.POSITIVE_INFINITY;
    for (const name of repos) {
      const repo = book.get(name);
      if (repo?.missing) continue;
      if (repo?.leftOut) leftOut.push(repo);
      else if (repo?.sweptAtMs === undefined) {
        const unseen = book.isUnseen(name) ? new ScalerError('unavailable', unseenWaits) : undefined;
        const error = repo?.error ?? this.options.listError() ?? unseen;
        return this.notYet(`${name} has not been read from GitHub yet`, error);
      } else confirmedAtMs = Math.min(confirmedAtMs, repo.sweptAtMs);
    }
    const [broken] = leftOut;
    if (broken !== undefined && confirmedAtMs === Number.POSITIVE_INFINITY)
      return this.notYet(`${broken.name} cannot be read from GitHub`, broken.error);
    return covered(missing, leftOut, confirmedAtMs);
  }

  private notYet(text: string, error: ScalerError | undefined): Covered {
    const why = this.options.paused() ?? error?.message;
    const code = error?.code === 'not_found' ? 'not_found' : 'unavailable';
    return unsynced(code, why === undefined ? text : `${text}: ${why}`);
  }
}

function covered(missing: readonly string[], leftOut: readonly Repo[], confirmedAtMs: number): Covered {
  const repos = [...missing, ...leftOut.map(({ name }) => name)];
  if (repos.length === 0) return { kind: 'synced', confirmedAtMs };
  const [broken] = leftOut;
  if (broken === undefined) return { kind: 'partial', repos, confirmedAtMs };
  const text = `${named(repos)} cannot be read: ${broken.error?.message}`;
  return { kind: 'partial', repos, confirmedAtMs, fault: new ScalerError('unavailable', text) };
}

function unsynced(code: 'unavailable' | 'not_found', message: string): Covered {
  return { kind: 'unsynced', error: new ScalerError(code, message) };
}

function named(repos: readonly string[]): string {
  return repos.length > 5 ? `${repos.slice(0, 5).join(', ')}, …` : repos.join(', ');
}

function notThere(repos: readonly string[], first?: Repo): string {
  if (first?.movedTo !== undefined)
    return `${first.name} was transferred and is ${first.movedTo} now: name the connection of its owner`;
  return `GitHub does not know ${named(repos)}: check the names, and that the App is installed on them or the token may read them`;
}

function nothingVisible(owner: string): string {
  return `GitHub shows no repository of ${owner}: check \`owner\`, and give the App's installation (or the token) access to its repositories`;
}

const ledgerFull = new ScalerError(
  'unavailable',
  "more jobs are open than the connection's `maxJobs`, and some have no room: raise it, or split the connection",
);

const unseenWaits =
  'no list and no event has it, and such names wait for all others; check the name, or name it in `repos` of the connection';

function noneThere(owner: string): string {
  return `GitHub lists repositories of ${owner} but answers 404 for the runs of each: let the App or the token read them (Actions: read)`;
}

function noList(owner: string): string {
  return `GitHub has no list of the runs or repositories of an enterprise (${owner}): name \`repos\` on the trigger or on the connection`;
}
