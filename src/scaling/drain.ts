import type { Detail, Reading } from '../sources/source.ts';
import { FlowRates } from './flow-rates.ts';
import { evenReplicas } from './metric.ts';
import { ReplicaRate, type WorkSample } from './replica-rate.ts';

/*
 * `policy: drain`: as many replicas as keep the wait under `drainSeconds`, instead of a threshold. Everything that waits
 * must be done within that time, while arrivals continue as lately:
 *
 *   replicas = ceil((items / drainSeconds + arrivalRate) / replicaRate)
 *
 * One `Drain` is the state of one trigger; the numbers below bound it. It knows no clock: `atMs` is the caller's, and
 * only differences of it matter. docs/scaling.md says all of this for users, docs/decisions/drain.md says why.
 */

export interface DrainPolicy {
  /** How long an item may wait. */
  readonly drainSeconds: number;
  /** Items a second that one replica works off: always, or until it has been learned. */
  readonly replicaRate: number;
  /** Whether the rate is learned, from samples that have `consumed` and `consumers`. */
  readonly learn: boolean;
}

/** What one read of the source has shown. */
export interface DrainSample extends WorkSample {
  /** How many replicas can have work at most. */
  readonly most?: number | undefined;
  /** Whether replicas are to divide `most`. */
  readonly even?: boolean | undefined;
}

/** A reading as the rule takes it. */
export function sampleOf(
  { items, flow, useful }: Extract<Reading, { kind: 'known' }>,
  atMs: number,
): DrainSample {
  return { atMs, items, ...flow, ...useful };
}

/** What decided on the number of replicas. */
export type DrainBecause =
  /** So many are needed now, or were until they were let go. */
  | 'need'
  /** So many were needed within the time that items wait. */
  | 'held'
  /** Nothing is scaled in soon after the start. */
  | 'start'
  /** Nothing is scaled in while the wait is too long. */
  | 'wait'
  /** No more can have work. */
  | 'most'
  /** More were slower. */
  | 'slower';

export interface DrainStep {
  /** Replicas. A whole number of at least 0. */
  readonly desired: number;
  readonly because: DrainBecause;
  /** Items a second that have come lately. */
  readonly arrivalRate: number;
  /** Items a second that have been worked off lately; undefined where the source does not say. */
  readonly consumptionRate: number | undefined;
  /** Items a second of one replica, as it was reckoned with. */
  readonly replicaRate: number;
  /** Whether it has been learned. */
  readonly learned: boolean;
  /** How long an item that comes now waits; undefined where nothing would work it off. */
  readonly expectedWaitSeconds: number | undefined;
  /** False while too little has been seen to give a number: with it replicas that are needed might be taken away. */
  readonly settled: boolean;
}

/** No number is given for so long after the start, where nothing says how many consumers there are. */
export const settleMs = 15_000;
/** Nothing is scaled in for so long after the start. */
export const startMs = 60_000;
/** What was needed is held for so long at least, however short `drainSeconds` is. */
const leastHoldMs = 60_000;
/** What is held is kept in so many pieces. */
const holdPieces = 32;
/** Replicas that are let go leave so much room above what was needed: the HPA's own tolerance. */
const scaleInRoom = 0.1;
/** What is consumed is what the replicas can do only where it is this part, at least, of what they should. */
const believedPart = 0.1;

/** The rule, with the state of one trigger. */
export class Drain {
  private readonly policy: DrainPolicy;
  private readonly flow = new FlowRates();
  private readonly peaks: Peaks;
  private readonly learned: ReplicaRate | undefined;
  private beganAtMs: number | undefined;
  private last: DrainSample | undefined;
  /** Replicas wanted, before `most` and what was slower. */
  private wanted = 0;
  private step: DrainStep;

  constructor(policy: DrainPolicy) {
    this.policy = policy;
    this.peaks = new Peaks(Math.max(leastHoldMs, policy.drainSeconds * 1000) / holdPieces);
    this.learned = policy.learn ? new ReplicaRate() : undefined;
    this.step = {
      desired: 0,
      because: 'start',
      arrivalRate: 0,
      consumptionRate: undefined,
      replicaRate: policy.replicaRate,
      learned: false,
      expectedWaitSeconds: 0,
      settled: false,
    };
  }

  /** As the last sample has it. */
  get now(): DrainStep {
    return this.step;
  }

  /** Takes a read. One that has no number of items, or is older than the last, changes nothing. */
  take(given: DrainSample): DrainStep {
    const sample = sane(given);
    if (sample === undefined || (this.last !== undefined && sample.atMs < this.last.atMs)) return this.step;
    this.beganAtMs ??= sample.atMs;
    this.last = sample;
    this.flow.take(sample);
    this.learned?.take(sample);
    this.step = this.decide(sample, sample.atMs - this.beganAtMs);
    return this.step;
  }

  /** The source has confirmed that the last read still holds. */
  confirm(atMs: number): DrainStep {
    return this.last === undefined || atMs <= this.last.atMs ? this.step : this.take({ ...this.last, atMs });
  }

  private decide(sample: DrainSample, ageMs: number): DrainStep {
    const { atMs, items, consumers } = sample;
    const { drainSeconds } = this.policy;
    const { arrivalRate, consumptionRate } = this.flow;
    const learned = this.learned?.rate;
    const replicaRate = learned ?? this.policy.replicaRate;
    const waitWith = (replicas: number) => waitSeconds(items, replicas * replicaRate, consumptionRate);
    const replicasFor = (perSecond: number) => Math.max(items > 0 ? 1 : 0, whole(perSecond / replicaRate));

    const perSecond = items / drainSeconds + arrivalRate;
    const holdMs = items > 0 ? Math.max(leastHoldMs, drainSeconds * 1000) : leastHoldMs;
    const peak = this.peaks.take(perSecond, atMs, holdMs);
    const needed = replicasFor(perSecond);
    const kept = replicasFor(peak * (1 + scaleInRoom));
    const early = ageMs < startMs;
    const wait = waitWith(this.within(this.wanted, sample).desired) ?? Number.POSITIVE_INFINITY;
    let because: DrainBecause = 'need';
    if (needed >= this.wanted) this.wanted = needed;
    else if (kept >= this.wanted) because = 'held';
    else if (early) because = 'start';
    else if (wait > drainSeconds) because = 'wait';
    else this.wanted = kept;
    if (early && consumers !== undefined && consumers > this.wanted) {
      this.wanted = consumers;
      because = 'start';
    }
    const bounded = this.within(this.wanted, sample);
    return {
      desired: bounded.desired,
      because: bounded.because ?? because,
      arrivalRate,
      consumptionRate,
      replicaRate,
      learned: learned !== undefined,
      expectedWaitSeconds: waitWith(bounded.desired),
      settled: this.step.settled || ageMs >= settleMs || consumers !== undefined,
    };
  }

  private within(
    wanted: number,
    { atMs, most, even }: DrainSample,
  ): { readonly desired: number; readonly because: DrainBecause | undefined } {
    const useful = most === undefined ? wanted : Math.min(even ? evenReplicas(most, wanted) : wanted, most);
    const limit = this.learned?.limitAt(atMs) ?? Number.POSITIVE_INFINITY;
    if (limit < useful) return { desired: limit, because: 'slower' };
    return { desired: useful, because: useful < wanted ? 'most' : undefined };
  }
}

/** For people. */
export function describeDrain({
  desired,
  because,
  arrivalRate,
  consumptionRate,
  replicaRate,
  learned,
  expectedWaitSeconds,
}: DrainStep): Detail {
  return {
    replicas: desired,
    because,
    arrivalRate: rounded(arrivalRate),
    ...(consumptionRate !== undefined && { consumptionRate: rounded(consumptionRate) }),
    replicaRate: rounded(replicaRate),
    replicaRateLearned: learned,
    ...(expectedWaitSeconds !== undefined && { expectedWaitSeconds: rounded(expectedWaitSeconds) }),
  };
}

/** To three digits, and hundredths where there are more. */
function rounded(value: number): number {
  return value >= 100 ? Math.round(value * 100) / 100 : Number(value.toPrecision(3));
}

/** What cannot be a number of anything is left out, so that it spoils no rate. */
function sane(given: DrainSample): DrainSample | undefined {
  const { atMs, items, arrived, consumed, consumers, most } = given;
  if (!Number.isFinite(atMs) || !isCount(items)) return undefined;
  return {
    ...given,
    arrived: isCount(arrived) ? arrived : undefined,
    consumed: isCount(consumed) ? consumed : undefined,
    consumers: isCount(consumers) ? Math.floor(consumers) : undefined,
    most: isCount(most) ? Math.floor(most) : undefined,
  };
}

function isCount(value: number | undefined): value is number {
  return value !== undefined && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}

/** A whole number of replicas; what only arithmetic has put above one is not one more. */
function whole(replicas: number): number {
  return Math.ceil(replicas * (1 - 1e-9));
}

/**
 * How long an item waits that comes now. What is really consumed counts, where it can be what the replicas are able to
 * do: consumers that keep up consume no more than comes, and say nothing of it.
 */
function waitSeconds(items: number, able: number, consumptionRate = 0): number | undefined {
  if (items === 0) return 0;
  const perSecond = consumptionRate >= believedPart * able ? consumptionRate : able;
  return perSecond > 0 ? items / perSecond : undefined;
}

interface Piece {
  readonly fromMs: number;
  toMs: number;
  most: number;
}

/** The most of a number within the last time, to the length of a piece. */
class Peaks {
  private readonly pieceMs: number;
  private pieces: Piece[] = [];

  constructor(pieceMs: number) {
    this.pieceMs = pieceMs;
  }

  /** With this one. */
  take(value: number, atMs: number, withinMs: number): number {
    const last = this.pieces.at(-1);
    if (last && atMs - last.fromMs < this.pieceMs) {
      last.toMs = atMs;
      last.most = Math.max(last.most, value);
    } else {
      this.pieces.push({ fromMs: atMs, toMs: atMs, most: value });
    }
    this.pieces = this.pieces.filter(({ toMs }) => toMs >= atMs - withinMs);
    return this.pieces.reduce((most, piece) => Math.max(most, piece.most), 0);
  }
}
