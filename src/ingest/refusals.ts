import { FewAMinute, type Logger } from '../telemetry/log.ts';

/** Says that signatures are refused: once a minute for each path, however many come. */
export class RefusalLog {
  private readonly log: Logger;
  private readonly few: FewAMinute;

  constructor(log: Logger, now: () => number) {
    this.log = log;
    this.few = new FewAMinute(1, now);
  }

  /** `connection`: what the path names; it must be a connection that there is, so that they are few. */
  refused(connection: string | undefined, hookId: unknown): void {
    const due = this.few.due(connection ?? '');
    if (due === undefined) return;
    this.log.warn(
      {
        ...(connection === undefined ? {} : { connection }),
        ...(isHookId(hookId) ? { hookId } : {}),
        ...(due.unsaid === undefined ? {} : { alsoRefused: due.unsaid }),
      },
      'a webhook was refused: no secret of ours signed it; compare the secret at GitHub with webhookSecretFile',
    );
  }
}

/** Anybody can send this header. */
function isHookId(value: unknown): value is string {
  return typeof value === 'string' && /^\d{1,20}$/.test(value);
}
