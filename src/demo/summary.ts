/** How fast a sleeping workload was woken; undefined: it was not. Counted from the record's acknowledgement. */
export interface Wake {
  /** `true` on StreamIsActive; below zero where it came before the producer had its acknowledgement. */
  readonly toldAfterMs: number | undefined;
  /** 0 → 1 replicas. */
  readonly startedAfterMs: number | undefined;
}

/** What a run of the demo came to. */
export interface Outcome {
  readonly wakes: readonly Wake[];
  readonly peakBacklog: number;
  readonly replicasWanted: number;
  readonly peakReplicas: number;
  readonly reachedAfterMs: number | undefined;
  /** For each return to zero, the ms from no backlog to there. */
  readonly zeroAfterMs: readonly (number | undefined)[];
  /** Answers KEDA did not get, after its one retry. */
  readonly failedAnswers: number;
  readonly rpcsAnswered: number;
  readonly requestsSent: number;
}

export interface Summary {
  readonly lines: readonly string[];
  /** Whether every promise was kept. */
  readonly kept: boolean;
}

/** The demo's promises, each with what was measured. Pure. */
export function summarize(outcome: Outcome): Summary {
  const { wakes, replicasWanted, peakReplicas, reachedAfterMs, zeroAfterMs, failedAnswers } = outcome;
  const told = wakes.map(({ toldAfterMs }) => toldAfterMs);
  const started = wakes.map(({ startedAfterMs }) => startedAfterMs);
  const promises: [boolean, string][] = [
    [all(told), `woken by the record: true on the stream ${list(told)} after its ack`],
    [all(started), `0 → 1 replicas ${list(started)} after the ack`],
    [
      reachedAfterMs !== undefined && peakReplicas === replicasWanted,
      `${replicasWanted} replicas wanted, ${peakReplicas} reached ${list([reachedAfterMs])} after the first ack`,
    ],
    [all(zeroAfterMs), `back to zero ${list(zeroAfterMs)} after the backlog was gone`],
    [failedAnswers === 0, `${failedAnswers} answers failed`],
  ];
  const { peakBacklog, rpcsAnswered, requestsSent } = outcome;
  return {
    kept: promises.every(([kept]) => kept),
    lines: [
      ...promises.map(([kept, text]) => `${kept ? 'yes' : 'NO '}  ${text}`),
      `     peak backlog ${peakBacklog}, ${rpcsAnswered} RPCs answered, ${requestsSent} requests sent to Kafka`,
    ],
  };
}

function all(times: readonly (number | undefined)[]): boolean {
  return times.length > 0 && times.every((ms) => ms !== undefined);
}

function list(times: readonly (number | undefined)[]): string {
  return times.map(duration).join(' and ') || 'never';
}

/** `2.4 ms`, `11.3 s`, or `never`. */
export function duration(ms: number | undefined): string {
  if (ms === undefined) return 'never';
  return Math.abs(ms) < 1000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
