import type { Logger } from '../telemetry/log.ts';

const onceMs = 60_000;

interface Said {
  atMs: number;
  /** Not said, since then. */
  more: number;
}

/** Says that signatures are refused: once a minute for each path, however many come. */
export class RefusalLog {
  private readonly log: Logger;
  private readonly now: () => number;
  private readonly said = new Map<string, Said>();

  constructor(log: Logger, now: () => number) {
    this.log = log;
    this.now = now;
  }

  /** `connection`: what the path names; it must be a connection that there is, so that they are few. */
  refused(connection: string | undefined, hookId: unknown): void {
    const key = connection ?? '';
    const atMs = this.now();
    const last = this.said.get(key);
    if (last !== undefined && atMs - last.atMs < onceMs) {
      last.more += 1;
      return;
    }
    this.forgetOld(atMs);
    this.said.set(key, { atMs, more: 0 });
    this.log.warn(
      {
        ...(connection === undefined ? {} : { connection }),
        ...(isHookId(hookId) ? { hookId } : {}),
        ...(last === undefined ? {} : { alsoRefused: last.more }),
      },
      'a webhook was refused: no secret of ours signed it; compare the secret at GitHub with webhookSecretFile',
    );
  }

  /** Connections come and go with the configuration. */
  private forgetOld(nowMs: number): void {
    for (const [key, { atMs }] of this.said) if (nowMs - atMs >= onceMs) this.said.delete(key);
  }
}

/** Anybody can send this header. */
function isHookId(value: unknown): value is string {
  return typeof value === 'string' && /^\d{1,20}$/.test(value);
}
