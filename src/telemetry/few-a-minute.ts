const minuteMs = 60_000;

interface Minute {
  readonly beganAtMs: number;
  said: number;
  unsaid: number;
}

/** Lets trouble be said `most` times a minute for each key, however often it comes. Keys must be few. */
export class FewAMinute {
  private readonly most: number;
  private readonly now: () => number;
  private readonly minutes = new Map<string, Minute>();

  /** `now`: in ms, monotonic. */
  constructor(most: number, now: () => number) {
    this.most = most;
    this.now = now;
  }

  /** Undefined: not now. Else how many were not said before it; undefined where that is not known, or long ago. */
  due(key: string): { readonly unsaid: number | undefined } | undefined {
    const nowMs = this.now();
    const minute = this.minutes.get(key);
    if (minute === undefined || nowMs - minute.beganAtMs >= minuteMs) {
      this.forgetOld(nowMs);
      this.minutes.set(key, { beganAtMs: nowMs, said: 1, unsaid: 0 });
      return { unsaid: minute?.unsaid };
    }
    if (minute.said === this.most) {
      minute.unsaid += 1;
      return undefined;
    }
    minute.said += 1;
    return { unsaid: undefined };
  }

  /** Connections come and go with the configuration. */
  private forgetOld(nowMs: number): void {
    for (const [key, { beganAtMs }] of this.minutes)
      if (nowMs - beganAtMs >= minuteMs) this.minutes.delete(key);
  }
}
