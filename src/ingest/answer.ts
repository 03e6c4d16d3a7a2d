/** What becomes of a request; a metric label. */
export type Outcome =
  /** Kept in the event log. */
  | 'accepted'
  /** Verified, and nothing that a ledger needs. */
  | 'ignored'
  /** The sender tries whether we are there. */
  | 'ping'
  /** Without a signature, or with something that is none. */
  | 'unsigned'
  /** No secret of ours made the signature. */
  | 'refused'
  /** Signed, but about somebody who is not of the connection whose secret signed it. */
  | 'foreign'
  | 'unknown_connection'
  | 'too_large'
  /** Too much is under way. */
  | 'busy'
  /** A content type or method that is not taken. */
  | 'unsupported'
  /** Not whole, or not what its content type says. */
  | 'malformed'
  /** It cannot be kept now: the sender is to send it again. */
  | 'unavailable';

/** An answer never holds a secret, nor anything of the body. */
export interface Answer {
  readonly status: number;
  readonly outcome: Outcome;
  readonly body: { readonly accepted: string } | { readonly error: string };
  readonly retryAfterSeconds?: number;
}

export function refusal(
  status: number,
  outcome: Outcome,
  error: string,
  more: Pick<Answer, 'retryAfterSeconds'> = {},
): Answer {
  return { status, outcome, body: { error }, ...more };
}
