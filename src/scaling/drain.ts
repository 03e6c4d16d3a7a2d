import type { Reading } from '../sources/source.ts';
import { evenReplicas } from './metric.ts';

/*
 * `policy: drain`: as many replicas as keep the wait under `drainSeconds`, instead of so many items for each. All that
 * waits is to be worked off within that time, while as much comes as lately:
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

/** What one read of the source has shown. Counts are cumulative, since an origin that does not matter. */
export interface DrainSample {
  readonly atMs: number;
  /** What waits. */
  readonly items: number;
  readonly arrived?: number | undefined;
  readonly consumed?: number | undefined;
  /** How many consumers share the work; absent while they change, or are not known. */
  readonly consumers?: number | undefined;
  /** False: some of them have nothing to do for certain. */
  readonly saturated?: boolean | undefined;
  /** How many places (partitions) the counts are sums over: when it changes, they begin anew. */
  readonly places?: number | undefined;
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

/** Rates are taken over so long at least, and so many of them are kept. */
export const rateSpanMs = 10_000;
export const mostSpans = 5;
/** No number is given for so long after the start, where nothing says how many consumers there are. */
export const settleMs = 15_000;
/** Nothing is scaled in for so long after the start. */
export const startMs = 60_000;
/** What was needed is held for so long at least, however short `drainSeconds` is. */
export const leastHoldMs = 60_000;
/** What is held is kept in so many pieces. */
const holdPieces = 32;
/** Replicas that are let go leave so much room above what was needed: the HPA's own tolerance. */
export const scaleInRoom = 0.1;
/** What is consumed is what the replicas can do only where it is this part, at least, of what they should. */
const believedPart = 0.1;

/** How long a measurement of the replicas' rate lasts at least, and at most; how many are kept. */
export const measureMs = 30_000;
const longestMeasureMs = 600_000;
export const mostMeasures = 5;
/** How long consumers are left to begin their work when their number has changed. */
export const warmUpMs = 30_000;
/** All consumers have work for certain where so much of it waits. */
const saturatedSeconds = 10;
/** Throughput that is less than before by more than this is slower. */
const slowerPart = 0.1;
/** So many measurements in a row have to be slower. */
const slowerTimes = 2;
/** How old the measurement with fewer consumers may be. */
const comparedMs = 600_000;
/** How long no more replicas are tried: the first time, and at most. */
export const slowerRestMs = { first: 600_000, most: 3_600_000 } as const;

/** The rule, with the state of one trigger. */
export class Drain {
  private readonly policy: DrainPolicy;
  private readonly flow = new Flow();
  private readonly peaks: Peaks;
  private readonly speed: Speed | undefined;
  private beganAtMs: number | undefined;
  private last: DrainSample | undefined;
  /** Replicas wanted, before `most` and what was slower. */
  private wanted = 0;
  private step: DrainStep;

  constructor(policy: DrainPolicy) {
    this.policy = policy;
    this.peaks = new Peaks(Math.max(leastHoldMs, policy.drainSeconds * 1000) / holdPieces);
    this.speed = policy.learn ? new Speed() : undefined;
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
    this.speed?.take(sample);
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
    const learned = this.speed?.rate;
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
      settled: ageMs >= settleMs || consumers !== undefined,
    };
  }

  private within(
    wanted: number,
    { atMs, most, even }: DrainSample,
  ): { readonly desired: number; readonly because: DrainBecause | undefined } {
    const useful = most === undefined ? wanted : Math.min(even ? evenReplicas(most, wanted) : wanted, most);
    const limit = this.speed?.limitAt(atMs) ?? Number.POSITIVE_INFINITY;
    if (limit < useful) return { desired: limit, because: 'slower' };
    return { desired: useful, because: useful < wanted ? 'most' : undefined };
  }
}

/** What cannot be a number of anything is left out, so that it spoils no rate. */
function sane(given: DrainSample): DrainSample | undefined {
  const { atMs, items, arrived, consumed, consumers, most } = given;
  if (!Number.isFinite(atMs) || !isCount(items)) return undefined;
  return {
    ...given,
    arrived: isCount(arrived) ? arrived : undefined,
    consumed: isCount(consumed) ? consumed : undefined,
    consumers: isCount(consumers) ? consumers : undefined,
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

interface Span {
  readonly seconds: number;
  readonly arrived: number;
  readonly consumed: number | undefined;
}

/**
 * Rates of the last spans. Arrivals: the median, so that a burst, which waits already and is counted there, is not
 * expected to go on. Consumption: the mean, since commits come in lumps.
 */
class Flow {
  private from: DrainSample | undefined;
  private spans: readonly Span[] = [];

  take(sample: DrainSample): void {
    const { from } = this;
    if (from === undefined || !isContinued(from, sample)) {
      this.from = sample;
      return;
    }
    const ms = sample.atMs - from.atMs;
    if (ms < rateSpanMs) return;
    const consumed = difference(from.consumed, sample.consumed);
    // Where nobody counts what comes, it is at least what there is more of now, and what has gone.
    const arrived =
      difference(from.arrived, sample.arrived) ?? Math.max(0, sample.items - from.items + (consumed ?? 0));
    this.spans = [...this.spans, { seconds: ms / 1000, arrived, consumed }].slice(-mostSpans);
    this.from = sample;
  }

  get arrivalRate(): number {
    return median(this.spans.map(({ arrived, seconds }) => arrived / seconds)) ?? 0;
  }

  get consumptionRate(): number | undefined {
    let seconds = 0;
    let sum = 0;
    for (const span of this.spans) {
      if (span.consumed === undefined) continue;
      seconds += span.seconds;
      sum += span.consumed;
    }
    return seconds === 0 ? undefined : sum / seconds;
  }
}

/** Whether counts of two reads can be compared: the same places, and none that began anew. */
function isContinued(then: DrainSample, now: DrainSample): boolean {
  return (
    then.places === now.places &&
    !hasFallen(then.arrived, now.arrived) &&
    !hasFallen(then.consumed, now.consumed)
  );
}

/** A count that is there in one read only is none that goes on. */
function hasFallen(then: number | undefined, now: number | undefined): boolean {
  return then === undefined || now === undefined ? then !== now : now < then;
}

function difference(then: number | undefined, now: number | undefined): number | undefined {
  return then === undefined || now === undefined ? undefined : now - then;
}

/** Of two in the middle the lower one. */
function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1];
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

interface Measure {
  readonly atMs: number;
  readonly consumers: number;
  /** Items a second of all of them. */
  readonly throughput: number;
}

interface Measuring {
  readonly from: DrainSample;
  /** The least that waited since. */
  leastItems: number;
}

/**
 * How fast one replica is, from what a group works off while all of its members have work; and how many members were
 * faster than more of them. A measurement begins and ends where a commit has just moved, since commits come in lumps.
 */
class Speed {
  private last: DrainSample | undefined;
  private changedAtMs: number | undefined;
  private measuring: Measuring | undefined;
  private rates: readonly number[] = [];
  private current: Measure | undefined;
  /** The last one with fewer consumers than there are now. */
  private fewer: Measure | undefined;
  private slower = 0;
  private limit: { readonly replicas: number; readonly untilMs: number } | undefined;
  private restMs: number = slowerRestMs.first;

  /** Items a second of one; undefined until it has been measured. */
  get rate(): number | undefined {
    return median(this.rates);
  }

  /** How many replicas are not to be exceeded, since more were slower. */
  limitAt(atMs: number): number | undefined {
    return this.limit && atMs < this.limit.untilMs ? this.limit.replicas : undefined;
  }

  take(sample: DrainSample): void {
    const { last } = this;
    this.last = sample;
    const { atMs, items, consumed, consumers = 0, saturated } = sample;
    if (last === undefined || last.consumers !== sample.consumers) this.changedAtMs = atMs;
    const ready = atMs - (this.changedAtMs ?? atMs) >= warmUpMs;
    if (
      last === undefined ||
      !ready ||
      consumers === 0 ||
      saturated === false ||
      !isContinued(last, sample)
    ) {
      this.measuring = undefined;
      return;
    }
    const { measuring } = this;
    if (measuring) measuring.leastItems = Math.min(measuring.leastItems, items);
    if (consumed === undefined || last.consumed === undefined || consumed <= last.consumed) return;
    const ms = measuring ? atMs - measuring.from.atMs : Number.POSITIVE_INFINITY;
    if (ms < measureMs) return;
    if (measuring && ms <= longestMeasureMs) {
      const throughput = (consumed - (measuring.from.consumed ?? consumed)) / (ms / 1000);
      if (throughput > 0 && measuring.leastItems >= saturatedSeconds * throughput) {
        this.measured({ atMs, consumers, throughput });
      }
    }
    this.measuring = { from: sample, leastItems: items };
  }

  private measured(measure: Measure): void {
    const { consumers, throughput, atMs } = measure;
    this.rates = [...this.rates, throughput / consumers].slice(-mostMeasures);
    const before = this.current;
    this.current = measure;
    if (before && consumers !== before.consumers) {
      this.fewer = consumers > before.consumers ? before : undefined;
      this.slower = 0;
    }
    const { fewer } = this;
    if (!fewer || atMs - fewer.atMs > comparedMs) return;
    if (throughput >= (1 - slowerPart) * fewer.throughput) {
      this.slower = 0;
      this.limit = undefined;
      this.restMs = slowerRestMs.first;
      return;
    }
    this.slower += 1;
    if (this.slower < slowerTimes || this.limitAt(atMs) !== undefined) return;
    this.limit = { replicas: fewer.consumers, untilMs: atMs + this.restMs };
    this.restMs = Math.min(2 * this.restMs, slowerRestMs.most);
  }
}
