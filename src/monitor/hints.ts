import type { Monitor } from './monitor.ts';

/** A hint for a whole connection is spread over this time, so that its subjects are not read all at once. */
export const hintSpreadMs = 1_000;

export interface HintsOptions {
  /** All subjects of the connection. */
  readonly monitors: ReadonlyMap<string, Monitor>;
  readonly random: () => number;
}

/**
 * The hints of one connection. A storm of them costs what its subjects cost: a name is looked up, and hints for
 * all that come while one is being spread become one more, after it.
 */
export class Hints {
  private readonly options: HintsOptions;
  private readonly named = new Map<string, Set<Monitor>>();
  private spreading: NodeJS.Timeout | undefined;
  /** The cause of the last one that came since the spreading began: some subjects had been read before it. */
  private again: string | undefined;

  constructor(options: HintsOptions) {
    this.options = options;
  }

  add(monitor: Monitor): void {
    for (const name of monitor.hintNames) {
      const those = this.named.get(name);
      if (those === undefined) this.named.set(name, new Set([monitor]));
      else those.add(monitor);
    }
  }

  remove(monitor: Monitor): void {
    for (const name of monitor.hintNames) {
      const those = this.named.get(name);
      those?.delete(monitor);
      if (those?.size === 0) this.named.delete(name);
    }
  }

  /** To the subjects of this name, now; false: there are none. */
  toName(name: string, cause: string): boolean {
    const those = this.named.get(name);
    for (const monitor of those ?? []) monitor.wake(cause, 'hint');
    return those !== undefined;
  }

  /** To all subjects, within `hintSpreadMs`, or that long after one that is being spread; false: there are none. */
  toAll(cause: string): boolean {
    if (this.options.monitors.size === 0) return false;
    if (this.spreading === undefined) this.spread(cause);
    else this.again = cause;
    return true;
  }

  private spread(cause: string): void {
    const { monitors, random } = this.options;
    for (const monitor of monitors.values()) monitor.wake(cause, 'hint', random() * hintSpreadMs);
    this.spreading = setTimeout(() => {
      const { again } = this;
      this.spreading = undefined;
      this.again = undefined;
      if (again !== undefined) this.toAll(again);
    }, hintSpreadMs);
  }

  close(): void {
    clearTimeout(this.spreading);
    this.spreading = undefined;
    this.again = undefined;
    this.named.clear();
  }
}
