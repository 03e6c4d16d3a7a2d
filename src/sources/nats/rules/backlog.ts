import { ScalerError } from '../../../errors.ts';
import { quote } from '../../../printable.ts';
import type { Reading, Target, Useful } from '../../source.ts';
import { type Working, WorkingRows } from '../../working.ts';
import type { NatsParams } from '../params.ts';
import { arrivedBy, behindBy, itemsOf, type NatsSnapshot } from './snapshot.ts';

/**
 * While messages come, a copy of a stream is always a few entries behind its leader. One that is further behind was away,
 * and is catching up.
 */
export const mostBehind = 100;

/**
 * The trigger's reading of a snapshot. The number is KEDA's: `num_pending` + `num_ack_pending`
 * (pkg/scalers/nats_jetstream_scaler.go, getMaxMsgLag, v2.21). Unlike KEDA's, a zero of a server that is catching up does
 * not count.
 */
export function backlog({ activationLagThreshold }: NatsParams, snapshot: NatsSnapshot): Reading {
  const { stream, consumer } = snapshot;
  const items = itemsOf(snapshot);
  const behind = behindBy(snapshot);
  if (items === 0 && behind > mostBehind) return { kind: 'unknown', error: catchingUp(snapshot) };
  return {
    kind: 'known',
    items,
    active: items > activationLagThreshold,
    ...usefulBy(snapshot),
    // The server counts from the consumer's creation. Counts of another consumer cannot be compared with these.
    flow: { arrived: arrivedBy(snapshot), places: Date.parse(consumer.created) },
    detail: () => ({
      pending: consumer.pending,
      ackPending: consumer.ackPending,
      redelivered: consumer.redelivered,
      ...(consumer.paused && { paused: true }),
      ...(stream.silent !== undefined && { notWatchedBecause: stream.silent }),
    }),
    working: () => workingOf(snapshot),
  };
}

/** What the HPA aims for. The metric is named after stream and consumer. */
export function target({ stream, consumer, lagThreshold, activationLagThreshold }: NatsParams): Target {
  return { perReplica: lagThreshold, activation: activationLagThreshold, nameParts: [stream, consumer] };
}

/** At most `max_ack_pending` messages are out at a time, so more replicas than that would have nothing to do. */
function usefulBy({ consumer }: NatsSnapshot): { useful?: Useful } {
  return consumer.maxAckPending === undefined ? {} : { useful: { most: consumer.maxAckPending } };
}

function catchingUp({ stream, consumer }: NatsSnapshot): ScalerError {
  return new ScalerError(
    'unavailable',
    `stream ${quote(stream.name)}, consumer ${quote(consumer.name)}: server ${quote(consumer.leader ?? '')}, which answers for the consumer, has not caught up with the stream: its 0 is not believed. It is asked again`,
  );
}

function workingOf({ consumer }: NatsSnapshot): Working {
  const { pending, ackPending, redelivered, maxAckPending, paused } = consumer;
  const rows = new WorkingRows();
  rows.add({ name: 'pending', items: pending, because: 'not delivered yet', said: { num_pending: pending } });
  rows.add({
    name: 'ack pending',
    items: ackPending,
    because: 'delivered, and not acknowledged yet',
    said: { num_ack_pending: ackPending, num_redelivered: redelivered },
  });
  return rows.working('counts', [
    paused ? 'the consumer is paused: nothing is delivered, and all counts' : undefined,
    maxAckPending === undefined
      ? undefined
      : `at most ${maxAckPending} replicas can have work: max_ack_pending of the consumer`,
  ]);
}
