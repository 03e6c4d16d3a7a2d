/** How fast a sleeping workload woke. Undefined if it did not. */
export interface Wake {
  /** `true` on StreamIsActive. Negative if it came before the sender had its answer. */
  readonly toldAfterMs: number | undefined;
  /** From 0 to 1 replicas. */
  readonly startedAfterMs: number | undefined;
}

/** The result of a story. */
export interface Outcome {
  readonly wakes: readonly Wake[];
  readonly peakBacklog: number;
  readonly replicasWanted: number;
  readonly peakReplicas: number;
  readonly reachedAfterMs: number | undefined;
  /** For each return to zero, the ms since the backlog was empty. */
  readonly zeroAfterMs: readonly (number | undefined)[];
  /** Answers that KEDA did not get, after its one retry. */
  readonly failedAnswers: number;
  readonly rpcsAnswered: number;
  readonly requestsSent: number;
}

/** The story's own words. */
export interface Words {
  /** What woke the workload: `the record`. */
  readonly waker: string;
  /** The start of its wake: `its ack`. */
  readonly counted: string;
  readonly upstream: string;
}

export interface Promised {
  readonly kept: boolean;
  readonly text: string;
}

export interface Summary {
  readonly lines: readonly string[];
  /** Whether every promise was kept. */
  readonly kept: boolean;
}

/** The promises of every story and the `further` ones of this story, each with its measured value. Pure. */
export function summarize(outcome: Outcome, words: Words, further: readonly Promised[] = []): Summary {
  const { wakes, replicasWanted, peakReplicas, reachedAfterMs, zeroAfterMs, failedAnswers } = outcome;
  const { waker, counted, upstream } = words;
  const told = wakes.map(({ toldAfterMs }) => toldAfterMs);
  const started = wakes.map(({ startedAfterMs }) => startedAfterMs);
  const promises: Promised[] = [
    { kept: all(told), text: `woken by ${waker}: true on the stream ${list(told)} after ${counted}` },
    { kept: all(started), text: `0 → 1 replicas ${list(started)} after ${counted}` },
    {
      kept: reachedAfterMs !== undefined && peakReplicas === replicasWanted,
      text: `${replicasWanted} replicas wanted, ${peakReplicas} reached ${list([reachedAfterMs])} after ${counted}`,
    },
    { kept: all(zeroAfterMs), text: `back to zero ${list(zeroAfterMs)} after the backlog was gone` },
    ...further,
    { kept: failedAnswers === 0, text: `${failedAnswers} answers failed` },
  ];
  const { peakBacklog, rpcsAnswered, requestsSent } = outcome;
  return summaryOf(promises, [
    `     peak backlog ${peakBacklog}, ${rpcsAnswered} RPCs answered, ${requestsSent} requests sent to ${upstream}`,
  ]);
}

/** The promises, and further lines. Pure. */
export function summaryOf(promises: readonly Promised[], further: readonly string[] = []): Summary {
  return {
    kept: promises.every(({ kept }) => kept),
    lines: [...promises.map(({ kept, text }) => `${kept ? 'yes' : 'NO '}  ${text}`), ...further],
  };
}

function all(times: readonly (number | undefined)[]): boolean {
  return times.length > 0 && times.every((ms) => ms !== undefined);
}

function list(times: readonly (number | undefined)[]): string {
  const texts = times.map(duration);
  const last = texts.pop() ?? 'never';
  return texts.length === 0 ? last : `${texts.join(', ')} and ${last}`;
}

/** `2.4 ms`, `11.3 s`, or `never`. */
export function duration(ms: number | undefined): string {
  if (ms === undefined) return 'never';
  return Math.abs(ms) < 1000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
