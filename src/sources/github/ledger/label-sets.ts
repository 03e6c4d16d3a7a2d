/** A set of labels as jobs share it, with what tells it from others. */
export interface LabelSet {
  readonly key: string;
  /** Lower case, each once, sorted. */
  readonly labels: readonly string[];
}

const maxSets = 10_000;

/** Lets the jobs that ask for the same labels share one array. Forgetting a set costs memory only. */
export class LabelSets {
  private readonly sets = new Map<string, LabelSet>();

  of(labels: readonly string[]): LabelSet {
    const key = labels.join('\u0000');
    const known = this.sets.get(key);
    if (known !== undefined) return known;
    if (this.sets.size >= maxSets) this.sets.clear();
    const set = { key, labels: [...labels] };
    this.sets.set(key, set);
    return set;
  }
}
