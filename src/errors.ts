/**
 * What went wrong, in the words of the product. `grpc/status.ts` is the only place that turns these into
 * gRPC codes; `sources/<kind>/errors.ts` is the only place that turns a library's errors into these.
 */
export type ErrorCode =
  /** The trigger's metadata or the reference itself cannot be used. Retrying does not help. */
  | 'invalid'
  /** The trigger may not use this connection. */
  | 'denied'
  /** The source says for certain that the topic, queue or repository is not there. */
  | 'not_found'
  /** The source is down, slow, refuses us, or was never read. */
  | 'unavailable'
  /** One of our own limits is reached. */
  | 'exhausted'
  /** A fault of ours. */
  | 'internal';

export interface ScalerErrorOptions {
  cause?: unknown;
  /** How long the source wants no request, in ms. */
  retryAfterMs?: number;
}

/** The one error class. The message says what failed and what to do; it never holds a secret. */
export class ScalerError extends Error {
  override readonly name = 'ScalerError';
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: ScalerErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }

  /** Total: whatever was thrown becomes a ScalerError. Errors of others get `code`. */
  static from(reason: unknown, code: ErrorCode = 'internal'): ScalerError {
    if (reason instanceof ScalerError) return reason;
    const message = reason instanceof Error ? reason.message : String(reason);
    return new ScalerError(code, message, { cause: reason });
  }

  /** The same error with `where` in front of its message. */
  within(where: string): ScalerError {
    return new ScalerError(this.code, `${where}: ${this.message}`, {
      cause: this.cause,
      ...(this.retryAfterMs === undefined ? {} : { retryAfterMs: this.retryAfterMs }),
    });
  }
}

/** Guards calls into code that may throw. Returns what it throws as a ScalerError. */
export function attempt<T>(call: () => T): T | ScalerError {
  try {
    return call();
  } catch (reason) {
    return ScalerError.from(reason);
  }
}

/** What a text of JSON says. Undefined if it is not JSON. */
export function fromJson(text: string): unknown {
  const read = attempt((): unknown => JSON.parse(text));
  return read instanceof ScalerError ? undefined : read;
}
