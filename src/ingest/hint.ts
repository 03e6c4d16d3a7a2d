import type { Answer } from './answer.ts';
import { connectionPaths, type Head, type Hint, hinted, type IngestKind } from './kind.ts';
import { refuseBearer, type Senders } from './senders.ts';

export interface HintsOptions {
  readonly senders: () => Senders;
  readonly hint: Hint;
}

/**
 * "Look now", from senders with a token. The path says where, and the body is ignored. A producer sends it after its
 * message, or any system that can send a webhook with a header.
 */
export class Hints implements IngestKind {
  readonly kind = 'hint';
  readonly paths = connectionPaths;
  readonly knowsBy = 'head';
  /** Room for the webhooks of others, whose bodies cannot be left out. */
  readonly maxBodyBytes = 64 * 1024;
  private readonly options: HintsOptions;

  constructor(options: HintsOptions) {
    this.options = options;
  }

  refuse(head: Head): Answer | undefined {
    return refuseBearer(head, this.options.senders());
  }

  async take({ connection, subject }: Head): Promise<Answer> {
    const outcome = hinted(connection !== undefined && this.options.hint(connection, subject, 'hint'));
    const accepted = outcome === 'accepted' ? 'is looked at now' : 'nobody watches it';
    return { status: 202, outcome, body: { accepted } };
  }
}
