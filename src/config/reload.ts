import { ScalerError } from '../errors.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Changes } from './changes.ts';
import { changesBetween } from './changes.ts';
import { stampOf } from './files.ts';
import type { LoadedConfig, LoadResult, Stamps } from './load.ts';

/** Looking at a dozen files costs nothing; Kubernetes takes a minute to change a mounted one. */
const lookEveryMs = 5000;

export interface ReloadDeps {
  load(): Promise<LoadResult>;
  /** Takes the new configuration into use, or throws with nothing changed. */
  apply(config: LoadedConfig, before: LoadedConfig): void;
  log: Logger;
  reloads: { inc(labels: { outcome: 'applied' | 'refused' }): void };
  lookEveryMs?: number;
}

/**
 * Loads the configuration again when one of its files has changed. A bad one is refused, said once, and the
 * old one stays. Files are looked at again and again rather than watched: notifications do not follow the
 * link swaps of Kubernetes' mounts on every file system.
 */
export class ConfigReloader {
  private readonly deps: ReloadDeps;
  private current: LoadedConfig;
  private stamps: Stamps;
  private timer: NodeJS.Timeout | undefined;
  private underWay: Promise<void> | undefined;

  constructor(current: LoadedConfig, stamps: Stamps, deps: ReloadDeps) {
    this.current = current;
    this.stamps = stamps;
    this.deps = deps;
  }

  start(): void {
    this.timer = setInterval(() => void this.look(), this.deps.lookEveryMs ?? lookEveryMs);
    this.timer.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    this.timer = undefined;
    await this.underWay;
  }

  /** Loads if a file has changed, or anyway if `force` (SIGHUP). One at a time; never rejects. */
  look({ force = false } = {}): Promise<void> {
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
    if (result.kind === 'refused') return this.refuse(result.faults);
    const before = this.current;
    try {
      this.deps.apply(result.config, before);
    } catch (reason) {
      return this.refuse([ScalerError.from(reason).message]);
    }
    this.current = result.config;
    this.deps.reloads.inc({ outcome: 'applied' });
    this.report(changesBetween(before, result.config));
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
    this.deps.log.warn({ keys: needRestart }, 'these changed settings are only taken at the next start');
  }
}
