/** An installed server of SQS, and how to start it on a free port of 127.0.0.1. */
export interface SqsProgram {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Matches its output once it listens. The first group is its port. */
  readonly listening: RegExp;
  /** The AWS account of its queues. */
  readonly account: string;
}
