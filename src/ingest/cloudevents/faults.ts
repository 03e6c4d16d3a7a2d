/** Says what is wrong with an attribute of one event. */
export type Report = (attribute: string, problem: string) => void;

const maxSaid = 10;

/** What is wrong with the events of a request: the first ten in words, the others counted. Nothing of a body is in it. */
export class Faults {
  private readonly said: string[] = [];
  private count = 0;

  /** `place` as the sender knows it: `ce-source`, `source`, `[3].source`. */
  add(place: string, problem: string): void {
    this.count += 1;
    if (this.said.length < maxSaid) this.said.push(`${place} ${problem}`);
  }

  get any(): boolean {
    return this.count > 0;
  }

  get summary(): string {
    const more = this.count - this.said.length;
    return more > 0 ? `${this.said.join('; ')}; and ${more} more` : this.said.join('; ');
  }
}
