import { isDeepStrictEqual } from 'node:util';
import { ScalerError } from '../errors.ts';
import type { Logger } from '../telemetry/log.ts';
import { isMapping, type Path, pathText } from './document.ts';
import { stampOf } from './files.ts';
import type { Loaded, LoadedConfig, LoadResult, Stamps } from './load.ts';

/** What a part has prepared. One of the two is called, once. */
export interface Prepared {
  /** Applies it. Cannot fail. */
  commit(): void;
  /** Closes what was opened for it. Cannot fail. */
  discard(): void | Promise<void>;
}

/** A part that applies configurations: the first one and every later one. */
export interface Configurable {
  /** Throws ScalerError if the part cannot apply it. It has then changed nothing, and holds nothing. */
  prepare(config: LoadedConfig): Prepared | Promise<Prepared>;
}

/** A part that takes whatever it is given. */
export function taking(take: (config: LoadedConfig) => void): Configurable {
  return { prepare: (config) => ({ commit: () => take(config), discard: () => {} }) };
}

/** Prepares the parts one after the other. Where one refuses, what the others have prepared is discarded, and its error thrown. */
export async function prepareAll(parts: readonly Configurable[], config: LoadedConfig): Promise<Prepared> {
  const prepared: Prepared[] = [];
  const discard = async (): Promise<void> => {
    for (const one of prepared.toReversed()) await one.discard();
  };
  for (const part of parts) {
    try {
      prepared.push(await part.prepare(config));
    } catch (reason) {
      await discard();
      throw ScalerError.from(reason);
    }
  }
  return {
    commit: () => {
      for (const one of prepared) one.commit();
    },
    discard,
  };
}

/** Checking a dozen files is cheap. Kubernetes takes a minute to change a mounted one. */
const lookEveryMs = 5000;

export interface ReloadDeps {
  readonly parts: readonly Configurable[];
  load(): Promise<LoadResult>;
  readonly log: Logger;
  readonly reloads: { inc(labels: { outcome: 'applied' | 'refused' }): void };
  readonly lookEveryMs?: number;
}

/**
 * Applies the first configuration, and another when one of its files has changed: the same way, one at a time. A bad
 * one is refused, logged once, and changes nothing. Files are polled, not watched: notifications do not follow the
 * link swaps of Kubernetes' mounts on every file system.
 */
export class ConfigReloader {
  private readonly deps: ReloadDeps;
  /** The configuration in force. Its `start` never changes. */
  private current: Loaded;
  private stamps: Stamps;
  private state: 'new' | 'started' | 'closed' = 'new';
  /** A reload was requested before the first configuration was in force. */
  private askedEarly = false;
  private timer: NodeJS.Timeout | undefined;
  private underWay: Promise<void> | undefined;

  constructor(first: Loaded, deps: ReloadDeps) {
    this.current = first;
    this.stamps = first.stamps;
    this.deps = deps;
  }

  /** Takes the first configuration; throws ScalerError where a part refuses it. */
  async start(): Promise<void> {
    const prepared = await prepareAll(this.deps.parts, this.current.config);
    if (this.state === 'closed') return prepared.discard();
    prepared.commit();
    this.state = 'started';
    if (this.askedEarly) await this.look({ force: true });
  }

  /** Polls the files from now on. */
  watch(): void {
    this.timer = setInterval(() => void this.look(), this.deps.lookEveryMs ?? lookEveryMs);
    this.timer.unref();
  }

  async close(): Promise<void> {
    this.state = 'closed';
    clearInterval(this.timer);
    await this.underWay;
  }

  /** Loads if a file has changed, or anyway if `force` (SIGHUP). One at a time; never rejects. */
  look({ force = false } = {}): Promise<void> {
    if (this.state !== 'started') {
      this.askedEarly ||= force;
      return Promise.resolve();
    }
    const previous = this.underWay;
    if (previous !== undefined) return force ? previous.then(() => this.look({ force })) : previous;
    this.underWay = this.lookOnce(force)
      .catch((reason: unknown) =>
        this.deps.log.error({ err: reason }, 'the configuration could not be reloaded'),
      )
      .finally(() => {
        this.underWay = undefined;
      });
    return this.underWay;
  }

  private async lookOnce(force: boolean): Promise<void> {
    if (!force && !(await this.changed())) return;
    const result = await this.deps.load();
    this.stamps = result.stamps;
    if (result.kind === 'refused') return this.refuse(result.faults.map(({ message }) => message));
    const before = this.current;
    const lost = guardsLost(before, result);
    if (lost.length > 0) return this.refuse(lost);
    let prepared: Prepared;
    try {
      prepared = await prepareAll(this.deps.parts, result.config);
    } catch (reason) {
      return this.refuse([ScalerError.from(reason).message]);
    }
    if (this.state === 'closed') return prepared.discard();
    prepared.commit();
    // Guards of a removed connection are remembered: a file that is still being written may bring it back without them.
    const guards = new Map([...before.guards, ...result.guards]);
    this.current = { ...result, start: before.start, guards };
    this.deps.reloads.inc({ outcome: 'applied' });
    this.report(changesBetween(before, result));
  }

  private refuse(faults: readonly string[]): void {
    this.deps.reloads.inc({ outcome: 'refused' });
    this.deps.log.error({ faults }, 'the changed configuration was refused; the old one stays');
  }

  private async changed(): Promise<boolean> {
    for (const [path, stamp] of this.stamps) {
      if ((await stampOf(path)) !== stamp) return true;
    }
    return false;
  }

  private report({ applied, needRestart }: Changes): void {
    this.deps.log.info({ applied }, 'the configuration was reloaded');
    if (needRestart.length === 0) return;
    this.deps.log.warn({ keys: needRestart }, 'these changed settings need a restart');
  }
}

/** What a new configuration changes, by key. */
export interface Changes {
  /** Settings that are taken while running. */
  applied: string[];
  /** Settings that are only taken at the start. */
  needRestart: string[];
}

type Compared = Pick<Loaded, 'config' | 'start'>;

export function changesBetween(before: Compared, after: Compared): Changes {
  return {
    applied: [
      ...differing(before.config.settings, after.config.settings),
      ...changedConnections(before.config.connections, after.config.connections),
    ],
    needRestart: differing(before.start, after.start),
  };
}

/** The keys of all leaves that differ. */
function differing(before: unknown, after: unknown, at: Path = []): string[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (!isMapping(before) || !isMapping(after)) return [pathText(at)];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => differing(before[key], after[key], [...at, key]));
}

type Connections = LoadedConfig['connections'];

function changedConnections(before: Connections, after: Connections): string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names]
    .filter((name) => !isDeepStrictEqual(settingsOf(before, name), settingsOf(after, name)))
    .map((name) => `connections.${name}`);
}

function settingsOf(connections: Connections, name: string): unknown {
  const found = connections.get(name);
  return found && [found.source.kind, found.namespaces, found.config];
}

/** A truncated file is often valid, so a guard cannot be dropped by omission. */
function guardsLost(before: Loaded, { guards, config: { connections } }: Loaded): string[] {
  const gone = [...before.config.connections.keys()].filter((name) => !connections.has(name));
  const isGone = (key: string): boolean => gone.some((name) => key === `connections.${name}.namespaces`);
  return [...before.guards]
    .filter(([key, keepsOut]) => keepsOut && !guards.has(key) && !isGone(key))
    .map(([key]) => {
      const explicit = key.endsWith('.namespaces') ? 'write ["*"] to let all in, or ' : '';
      return `${key}: is left out, but has kept callers out so far, and a truncated file must not let them in; ${explicit}restart to drop it`;
    });
}
