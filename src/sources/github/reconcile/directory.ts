import type { ScalerError } from '../../../errors.ts';
import type { RunRef } from '../rules/job.ts';
import type { RepoIdentity } from '../upstream/api.ts';

/** A sweep in progress. */
export interface Sweep {
  /** Everything it reads is at least as new as this. */
  startedAtMs: number;
  /** The runs still to read. */
  readonly todo: RunRef[];
  /** The runs for which GitHub answered 404. */
  readonly gone: RunRef[];
  /** The last error of a run that could not be read. `failures` counts such runs. */
  error: ScalerError | undefined;
  failures: number;
}

/** A known repository. All times are ms since 1970 by our clock. */
export interface Repo {
  /** Its key in the ledger, which never changes: its first name here, unless that was taken. */
  readonly key: string;
  /** GitHub's ID, once known. Names change, the ID does not. */
  id: number | undefined;
  /** `owner/name`, lower case, as GitHub has it now. */
  name: string;
  /** All its names, present and former. */
  readonly names: Set<string>;
  /** Keys of records that turned out to be the same repository. */
  readonly otherKeys: Set<string>;
  /** GitHub lists it, or the configuration names it. */
  listed: boolean;
  /** A live trigger or the configuration names it. */
  wanted: boolean;
  active: boolean;
  lastEventAtMs: number;
  /** When its last complete sweep began. */
  sweptAtMs: number | undefined;
  sweep: Sweep | undefined;
  /** Something is doubtful, so it is due for a sweep now. */
  urgent: boolean;
  /** Another pod has swept it, so GitHub's answers are available without another request. */
  sweptByOther: boolean;
  /** GitHub answers 404 for it, or it belongs to another owner now. */
  missing: { readonly sinceMs: number; askedAtMs: number; times: number } | undefined;
  /** Its name under another owner. */
  movedTo: string | undefined;
  /** Why its last sweep failed. `failedSinceMs` is when the failures began. */
  error: ScalerError | undefined;
  failures: number;
  failedSinceMs: number;
  /** After a failure, the time of the next attempt. */
  retryAtMs: number;
  /** How old its last sweep may become before it is left out, if it cannot be read. */
  patienceMs: number;
  /** It stays broken while others can be read. They do not wait for it. */
  leftOut: boolean;
}

/** The most names kept for one repository. */
const maxNames = 10;

export interface DirectoryOptions {
  /** Two records turned out to be one repository. Whatever is kept for `from` belongs to `to`. */
  readonly joined: (from: Repo, to: Repo) => void;
  /** Whatever the ledger has under the key `from` belongs to `to`. */
  readonly rekeyed: (from: string, to: string) => void;
  /** The repository got a new name. */
  readonly renamed: (was: string, is: string) => void;
}

/** Repositories by ID, by every name, and by key in the ledger. A repository is its ID, because names change hands. */
export class RepoDirectory {
  private readonly options: DirectoryOptions;
  private readonly repos = new Set<Repo>();
  private readonly byKey = new Map<string, Repo>();
  private readonly byName = new Map<string, Repo>();
  private readonly byId = new Map<number, Repo>();

  constructor(options: DirectoryOptions) {
    this.options = options;
  }

  get size(): number {
    return this.repos.size;
  }

  all(): ReadonlySet<Repo> {
    return this.repos;
  }

  /** By any of its names. */
  get(name: string): Repo | undefined {
    return this.byName.get(name);
  }

  ofKey(key: string): Repo | undefined {
    return this.byKey.get(key);
  }

  open(name: string): Repo {
    const known = this.byName.get(name);
    if (known) return known;
    // The key may belong to a repository that no longer has this name.
    let key = name;
    for (let i = 2; this.byKey.has(key); i += 1) key = `${name}#${i}`;
    const repo = newRepo(key, name);
    this.repos.add(repo);
    this.byKey.set(key, repo);
    this.byName.set(name, repo);
    return repo;
  }

  /** A webhook used this name for this ID, maybe long ago. Undefined if both are unknown. */
  heard(name: string, id: number | undefined): Repo | undefined {
    const called = this.byName.get(name);
    if (id === undefined) return called;
    const known = this.byId.get(id);
    if (known === undefined) return called && this.learn({ id, name });
    const isOld = known.names.has(name) || called?.id !== undefined;
    return isOld ? known : this.learn({ id, name });
  }

  /** GitHub says that the repository of this ID has this name now. */
  learn({ id, name }: RepoIdentity): Repo {
    const called = this.byName.get(name);
    const known = this.byId.get(id);
    if (called !== undefined && called === known) return this.rename(known, name);
    if (called?.id !== undefined) this.loseName(called, name);
    else if (called !== undefined && known === undefined) return this.setId(called, id);
    else if (called !== undefined && known !== undefined) this.join(called, known, known.name, name);
    return known === undefined ? this.setId(this.open(name), id) : this.rename(known, name);
  }

  /** GitHub answered to a repository's name with this identity. Returns whether it is the same repository. */
  answered(repo: Repo, identity: RepoIdentity): boolean {
    const known = this.byId.get(identity.id);
    if (repo.id === undefined && known === undefined) this.setId(repo, identity.id);
    else if (repo.id === undefined && known !== undefined) {
      const was = repo.name === identity.name ? known.name : repo.name;
      this.join(repo, known, was, identity.name);
    }
    return this.learn(identity) === repo;
  }

  forget(repo: Repo): void {
    this.repos.delete(repo);
    for (const name of repo.names) if (this.byName.get(name) === repo) this.byName.delete(name);
    for (const key of [repo.key, ...repo.otherKeys]) this.byKey.delete(key);
    if (repo.id !== undefined) this.byId.delete(repo.id);
  }

  private setId(repo: Repo, id: number): Repo {
    repo.id = id;
    this.byId.set(id, repo);
    return repo;
  }

  private rename(repo: Repo, name: string): Repo {
    const was = repo.name;
    const isNews = !repo.names.delete(name) && was !== name;
    repo.name = name;
    repo.names.add(name);
    this.byName.set(name, repo);
    const [oldest = name] = repo.names;
    if (repo.names.size > maxNames && this.byName.get(oldest) === repo) this.byName.delete(oldest);
    if (repo.names.size > maxNames) repo.names.delete(oldest);
    // Events may have been filed under this name before its repository was known.
    if (isNews && !this.byKey.has(name)) this.options.rekeyed(name, repo.key);
    if (isNews) this.options.renamed(was, name);
    return repo;
  }

  /** A newcomer has the name. Its former owner was renamed or deleted: its next sweep shows which. */
  private loseName(repo: Repo, name: string): void {
    this.byName.delete(name);
    repo.names.delete(name);
    repo.urgent = true;
  }

  /** `from`, whose ID was unknown, was another name of `to`. */
  private join(from: Repo, to: Repo, was: string, is: string): void {
    this.forget(from);
    for (const name of from.names) {
      to.names.add(name);
      this.byName.set(name, to);
    }
    for (const key of [from.key, ...from.otherKeys]) {
      to.otherKeys.add(key);
      this.byKey.set(key, to);
    }
    this.options.joined(from, to);
    this.options.rekeyed(from.key, to.key);
    this.options.renamed(was, is);
  }
}

function newRepo(key: string, name: string): Repo {
  return {
    key,
    id: undefined,
    name,
    names: new Set([name]),
    otherKeys: new Set(),
    listed: false,
    wanted: false,
    active: false,
    lastEventAtMs: Number.NEGATIVE_INFINITY,
    sweptAtMs: undefined,
    sweep: undefined,
    urgent: false,
    sweptByOther: false,
    missing: undefined,
    movedTo: undefined,
    error: undefined,
    failures: 0,
    failedSinceMs: 0,
    retryAtMs: 0,
    patienceMs: Number.POSITIVE_INFINITY,
    leftOut: false,
  };
}
