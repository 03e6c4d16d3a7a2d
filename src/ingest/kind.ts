import type { IncomingHttpHeaders } from 'node:http';
import type { JsonCounter } from '../json.ts';
import type { Answer, Outcome } from './answer.ts';

/** A request without its body. */
export interface Head {
  readonly headers: IncomingHttpHeaders;
  /** The connection that the path names, if it names one. */
  readonly connection: string | undefined;
  /** The rest of the path, percent-decoded once: a queue's name, `acme/web`. Undefined: all of the connection. */
  readonly subject: string | undefined;
  /** Of the sender, or of the last proxy before us: see `addressOf`. */
  readonly address: string;
}

/** What follows `/ingest/<kind>`; a subject may hold slashes. */
export type PathShape = '' | '/:connection' | '/:connection/*';

/** The paths of every kind that is sent for one connection. */
export const connectionPaths: readonly PathShape[] = ['/:connection', '/:connection/*'];

/** A kind of sender, below `/ingest/<kind>`. */
export interface IngestKind {
  /** Part of the path, and a metric label. */
  readonly kind: string;
  readonly paths: readonly PathShape[];
  /** What shows who sends: a token in the head, or a signature of the body, which has to be read first. */
  readonly knowsBy: 'head' | 'body';
  /** Where a request of this kind is smaller than what the port takes at most. */
  readonly maxBodyBytes?: number;
  /** Where the body is JSON: what counts it while it comes. */
  counter?(head: Head): JsonCounter | undefined;
  /**
   * The answer to a request whose body need not be read. Undefined means: read it. Unverified senders get the same answer
   * under every configuration.
   */
  refuse(head: Head): Answer | undefined;
  /** What becomes of a request that was not refused. Waits for the event log, for nothing outside. */
  take(head: Head, body: Buffer): Promise<Answer>;
  /** The answer to OPTIONS; without it that method is not allowed. */
  handshake?(head: Head): Answer;
  /** Ends what goes on after an answer. */
  close?(): void;
}

/** Wakes a subject of a connection. False if no trigger measures it. */
export type Hint = (
  connection: string,
  subject: string | undefined,
  cause: 'sns' | 'event' | 'hint',
) => boolean;

/** The outcome of a hint. */
export function hinted(watched: boolean): Extract<Outcome, 'accepted' | 'unwatched'> {
  return watched ? 'accepted' : 'unwatched';
}
