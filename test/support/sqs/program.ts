/** A server of SQS that is installed, and how to start it on a free port of 127.0.0.1. */
export interface SqsProgram {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Matches what it prints once it listens; the first group is its port. */
  readonly listening: RegExp;
  /** The AWS account that its queues are of. */
  readonly account: string;
}
