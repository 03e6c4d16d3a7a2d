import type { TokenProvider } from './security.ts';

export interface IssuedToken {
  readonly value: string;
  /** How long to use it, in ms: the caller leaves its own margin to the expiry. */
  readonly usableMs: number;
}

/** Keeps a token while it is usable. Those who ask while one is being issued share it; a failure is not kept. */
export function cachedToken(issue: () => Promise<IssuedToken>): TokenProvider {
  let value = '';
  let usableUntilMs = Number.NEGATIVE_INFINITY;
  let issuing: Promise<string> | undefined;

  async function renew(): Promise<string> {
    const issued = await issue();
    value = issued.value;
    usableUntilMs = performance.now() + issued.usableMs;
    return value;
  }

  return () => {
    if (performance.now() < usableUntilMs) return Promise.resolve(value);
    issuing ??= renew().finally(() => {
      issuing = undefined;
    });
    return issuing;
  };
}
