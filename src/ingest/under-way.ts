/** Counts what is under way, for those who wait until nothing is. */
export class UnderWay {
  private count = 0;
  private waiting: (() => void)[] = [];

  /** Begins one; the returned function ends it. */
  begin(): () => void {
    this.count += 1;
    return () => {
      this.count -= 1;
      if (this.count > 0) return;
      for (const done of this.waiting.splice(0)) done();
    };
  }

  none(): Promise<void> {
    if (this.count === 0) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}
