import type { Subject } from './subject.ts';

/** A hint for a whole connection is spread over this time, so that its subjects are not read all at once. */
export const hintSpreadMs = 1_000;

export interface HintsOptions {
  /** All subjects of the connection. */
  readonly subjects: ReadonlyMap<string, Subject>;
  readonly random: () => number;
}

/**
 * The hints of one connection. A storm of them costs what its subjects cost. A name is looked up. Hints for all subjects
 * that come during such a hint become one more after it.
 */
export class Hints {
  private readonly options: HintsOptions;
  private readonly named = new Map<string, Set<Subject>>();
  private spreading: NodeJS.Timeout | undefined;
  /** The cause of the last one that came since the spreading began: some subjects had been read before it. */
  private again: string | undefined;

  constructor(options: HintsOptions) {
    this.options = options;
  }

  add(subject: Subject): void {
    for (const name of subject.hintNames) {
      const those = this.named.get(name);
      if (those === undefined) this.named.set(name, new Set([subject]));
      else those.add(subject);
    }
  }

  remove(subject: Subject): void {
    for (const name of subject.hintNames) {
      const those = this.named.get(name);
      those?.delete(subject);
      if (those?.size === 0) this.named.delete(name);
    }
  }

  /** For the subjects of this name, now. False if there are no such subjects. */
  toName(name: string, cause: string): boolean {
    const those = this.named.get(name);
    for (const subject of those ?? []) subject.wake(cause, 'hint');
    return those !== undefined;
  }

  /** For all subjects, within `hintSpreadMs`, or that long after the one in progress. False if there are no subjects. */
  toAll(cause: string): boolean {
    if (this.options.subjects.size === 0) return false;
    if (this.spreading === undefined) this.spread(cause);
    else this.again = cause;
    return true;
  }

  private spread(cause: string): void {
    const { subjects, random } = this.options;
    for (const subject of subjects.values()) subject.wake(cause, 'hint', random() * hintSpreadMs);
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
