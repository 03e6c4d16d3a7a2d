import { findElasticMq } from './elasticmq.ts';
import { findMoto } from './moto.ts';

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

export type SqsKind = 'moto' | 'elasticmq';

const find: Record<SqsKind, () => Promise<SqsProgram>> = { moto: findMoto, elasticmq: findElasticMq };
const found = new Map<SqsKind, Promise<SqsProgram>>();

/** Throws ScalerError `unavailable`, which says what to install. */
export function programOf(kind: SqsKind): Promise<SqsProgram> {
  const program = found.get(kind) ?? find[kind]();
  found.set(kind, program);
  return program;
}

/** Why there can be none here, said once; undefined where there can. Throws where `CI` is set. */
export async function whyNoSqs(kind: SqsKind): Promise<string | undefined> {
  const program = await programOf(kind).catch((reason: unknown) => reason);
  if (!(program instanceof Error)) return undefined;
  if (process.env['CI']) throw program;
  if (!said.has(kind)) console.warn(`SQS tests are skipped: ${program.message}`);
  said.add(kind);
  return program.message;
}

const said = new Set<SqsKind>();
