import type { SqsParams } from '../../../../src/sources/sqs/params.ts';
import { backlog } from '../../../../src/sources/sqs/rules/backlog.ts';
import { fold, type SqsHistory } from '../../../../src/sources/sqs/rules/history.ts';

/** A read: its time, its counts, and the time of the last hint before it. */
export interface Seen {
  atMs: number;
  visible?: number;
  inFlight?: number;
  delayed?: number;
  hintAtMs?: number;
}

/** The readings of a trigger over a queue's reads, as a subject makes them. `wasActive` is its state before the first. */
export function readingsOf(params: SqsParams, reads: readonly Seen[], wasActive?: boolean) {
  let history: SqsHistory | undefined;
  let active = wasActive;
  return reads.map(({ atMs, hintAtMs, visible = 0, inFlight = 0, delayed = 0 }) => {
    const snapshot = { visible, inFlight, delayed };
    history = fold(history, snapshot, atMs);
    const view = { snapshot, history, takenAtMs: atMs, lastHintAtMs: hintAtMs, wasActive: active };
    const reading = backlog(params, view);
    if (reading.kind !== 'known') throw new Error('a read of SQS always gives a number');
    active = reading.active;
    return reading;
  });
}

/** Whether the trigger is active after each read. */
export function activityOf(params: SqsParams, reads: readonly Seen[], wasActive?: boolean): boolean[] {
  return readingsOf(params, reads, wasActive).map(({ active }) => active);
}
