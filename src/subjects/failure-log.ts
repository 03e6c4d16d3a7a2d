import { attempt, type ScalerError } from '../errors.ts';
import type { Logger } from '../telemetry/log.ts';

/** A subject's key holds what a trigger's author wrote, which may be long. */
const mostSubjectCharacters = 512;

/** A key for people: one that is a list, such as a Kafka group with its topics, without what is empty. */
function shown(key: string): string {
  const list = attempt((): unknown => JSON.parse(key));
  const text = Array.isArray(list) ? list.flat().filter(Boolean).join(' ') : key;
  return text.slice(0, mostSubjectCharacters);
}

interface Failing {
  readonly subjects: Set<string>;
  /** The most that failed in this way at a time. */
  most: number;
  reads: number;
}

/**
 * Says of one connection what cannot be read, once for each reason: a login that is refused fails a thousand
 * subjects in the same way at every read.
 */
export class FailureLog {
  private readonly log: Logger;
  private readonly reasons = new Map<string, Failing>();
  private readonly reasonOf = new Map<string, string>();
  private readonly cautions = new Map<string, string>();

  constructor(log: Logger) {
    this.log = log;
  }

  failed(subject: string, { code, message }: ScalerError): void {
    if (this.reasonOf.get(subject) !== message) this.recovered(subject);
    this.reasonOf.set(subject, message);
    let failing = this.reasons.get(message);
    if (!failing) {
      failing = { subjects: new Set(), most: 0, reads: 0 };
      this.reasons.set(message, failing);
      this.log.warn(
        { subject: shown(subject), code, error: message },
        'cannot be read; said once for all subjects it is true of',
      );
    }
    failing.subjects.add(subject);
    failing.most = Math.max(failing.most, failing.subjects.size);
    failing.reads += 1;
  }

  /** What its source would have people know of a subject that is read; undefined: nothing any more. */
  caution(subject: string, text: string | undefined): void {
    if (text === this.cautions.get(subject)) return;
    if (text === undefined) {
      this.cautions.delete(subject);
      return;
    }
    this.cautions.set(subject, text);
    this.log.warn({ subject: shown(subject) }, text);
  }

  /** The subject is not measured any more: nothing is over, and nothing is said. */
  forget(subject: string): void {
    this.cautions.delete(subject);
    this.end(subject);
  }

  /** The subject is read again, or fails for another reason. */
  recovered(subject: string): void {
    const over = this.end(subject);
    if (over) this.log.info(over, 'is over for every subject it was true of');
  }

  /** Gives what is over when this subject was the last one. */
  private end(subject: string): { error: string; subjects: number; reads: number } | undefined {
    const message = this.reasonOf.get(subject);
    const failing = message === undefined ? undefined : this.reasons.get(message);
    if (message === undefined || !failing) return undefined;
    this.reasonOf.delete(subject);
    failing.subjects.delete(subject);
    if (failing.subjects.size > 0) return undefined;
    this.reasons.delete(message);
    return { error: message, subjects: failing.most, reads: failing.reads };
  }
}
