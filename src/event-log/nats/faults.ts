import { ScalerError } from '../../errors.ts';
import {
  errorCode,
  isJetStreamRefusal,
  isNotAllowed,
  jetStreamErrors,
  natsFault,
} from '../../outbound/nats.ts';

/** How long something fails before it is logged: a cluster that elects a leader needs no log line. */
const saidAfterMs = 10_000;
/** The same, if nothing but a person can help. */
const saidSoonAfterMs = 1_000;

/** An error code of JetStream. */
const messageTooLarge = 10054;

/** Whether there is no stream of this name. */
export function isNotFound(reason: unknown): boolean {
  return errorCode(reason) === jetStreamErrors.streamNotFound;
}

/** Whether what has failed since `beganMs`, of `performance.now()`, is to be logged now. */
export function isToSay(reason: unknown, beganMs: number): boolean {
  const isLasting = isNotAllowed(reason) || (reason instanceof ScalerError && reason.code === 'invalid');
  return performance.now() - beganMs >= (isLasting ? saidSoonAfterMs : saidAfterMs);
}

/** Whether a request was refused for a reason that says nothing about whether the stream is still the same. */
export function isRefusal(reason: unknown): boolean {
  const { streamNotFound, consumerNotFound } = jetStreamErrors;
  if (isNotAllowed(reason)) return true;
  const code = errorCode(reason);
  return isJetStreamRefusal(reason) && code !== streamNotFound && code !== consumerNotFound;
}

/** Whether the stream will never take a message of this size. */
export function isTooLarge(reason: unknown): boolean {
  return errorCode(reason) === messageTooLarge;
}

/** What an error of JetStream means and what to do, in words that follow the stream's name. */
export function streamFault(reason: unknown): string {
  if (reason instanceof ScalerError) return reason.message;
  const code = errorCode(reason);
  const isOff = reason instanceof Error && reason.name === 'JetStreamNotEnabled';
  if (isOff || jetStreamErrors.notEnabled.some((one) => one === code))
    return 'NATS has no JetStream for this account and domain: enable it';
  return `NATS ${natsFault(reason)}`;
}
