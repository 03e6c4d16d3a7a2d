import type { IncomingHttpHeaders } from 'node:http';
import type { Answer } from './answer.ts';

/** A request without its body. */
export interface Head {
  readonly headers: IncomingHttpHeaders;
  /** The connection that the path names, if it names one. */
  readonly connection: string | undefined;
}

/** A kind of sender, at `/ingest/<kind>[/:connection]`. */
export interface IngestKind {
  /** Part of the path, and a metric label. */
  readonly kind: string;
  /** The answer to a request whose body is not worth reading; undefined: it is. */
  refuse(head: Head): Answer | undefined;
  /** What becomes of a request that was not refused. Waits for the event log, for nothing outside. */
  take(head: Head, body: Buffer): Promise<Answer>;
}
