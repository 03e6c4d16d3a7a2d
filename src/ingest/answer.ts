/** What becomes of a request; a metric label. */
export type Outcome =
  /** Stored in the event log, or a subject was woken. */
  | 'accepted'
  /** A hint for something that no trigger measures now. */
  | 'unwatched'
  /** Verified, and nothing that a backlog needs; or seen before. */
  | 'ignored'
  /** The sender tries whether we are there, or may send. */
  | 'ping'
  /** Without a signature or token, or with something else in its place. */
  | 'unsigned'
  /** A signature by no secret of ours, an unknown token, or a signature that is not the sender's. */
  | 'refused'
  /** By somebody known, for a connection that is not theirs: an owner, a token or a topic that it does not list. */
  | 'foreign'
  | 'unknown_connection'
  | 'too_large'
  /** Too much is under way. */
  | 'busy'
  /** The body came slower than those may send who have shown nothing. */
  | 'too_slow'
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
  readonly headers?: Readonly<Record<string, string>>;
  /** What became of it, where that is only known after the answer: counted then, instead of `outcome`. Never rejects. */
  readonly decided?: Promise<Outcome>;
}

export function refusal(
  status: number,
  outcome: Outcome,
  error: string,
  more: Pick<Answer, 'retryAfterSeconds' | 'headers'> = {},
): Answer {
  return { status, outcome, body: { error }, ...more };
}
