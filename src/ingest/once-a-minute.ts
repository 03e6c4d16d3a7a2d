const onceMs = 60_000;

interface Said {
  atMs: number;
  /** Not said, since then. */
  more: number;
}

/** Lets trouble be said once a minute for each key, however often it comes. Keys must be few. */
export class OnceAMinute {
  private readonly now: () => number;
  private readonly said = new Map<string, Said>();

  /** `now`: in ms, monotonic. */
  constructor(now: () => number) {
    this.now = now;
  }

  /** Undefined: not now. Else how many were not said since it was said last; undefined where that is long ago. */
  due(key: string): { readonly unsaid: number | undefined } | undefined {
    const atMs = this.now();
    const last = this.said.get(key);
    if (last !== undefined && atMs - last.atMs < onceMs) {
      last.more += 1;
      return undefined;
    }
    this.forgetOld(atMs);
    this.said.set(key, { atMs, more: 0 });
    return { unsaid: last?.more };
  }

  /** Connections come and go with the configuration. */
  private forgetOld(nowMs: number): void {
    for (const [key, { atMs }] of this.said) if (nowMs - atMs >= onceMs) this.said.delete(key);
  }
}
