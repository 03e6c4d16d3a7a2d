import { ScalerError } from '../../../../errors.ts';
import type { IsolationLevel } from '../../rules/snapshot.ts';
import { fromErrorCode } from '../errors.ts';
import { errorCodes, leaderMovedCodes } from '../protocol/error-codes.ts';
import { type ListedOffset, type ListOffsetsOptions, listOffsets } from '../protocol/list-offsets.ts';
import { answerTurn, type Pending, TurnBatch } from '../turns.ts';
import type { Brokers } from './brokers.ts';
import { RecentMap } from './recent-map.ts';
import type { KnownLayout, Topology } from './topology.ts';

export interface LeaderQuestion {
  readonly topic: string;
  readonly partitions: readonly number[];
  /** By partition. */
  readonly leaders: readonly (string | undefined)[];
  readonly timestamp: ListOffsetsOptions['timestamp'];
  readonly isolationLevel: IsolationLevel;
}

export interface LeaderAnswer extends Offsets {
  /** Those of the faults that a fresh look at the topic's leaders may cure. */
  readonly stale: readonly number[];
  /** Whether a leader could not be asked at all. */
  readonly lostLeader: boolean;
}

/** What a former leader answers, or any leader for a topic that was deleted or created again. */
const staleCodes: ReadonlySet<number> = new Set([errorCodes.UNKNOWN_TOPIC_OR_PARTITION, ...leaderMovedCodes]);

interface LeaderRequest {
  readonly address: string;
  readonly topics: Map<string, readonly number[] | ReadonlySet<number>>;
  readonly timestamp: ListOffsetsOptions['timestamp'];
  readonly isolationLevel: IsolationLevel;
}

/** What one request came to, by topic. */
type Outcome = ReadonlyMap<string, readonly ListedOffset[]> | ScalerError;

/** Ends and starts of logs: one ListOffsets a leader for every request of one turn of the event loop. */
export class LeaderOffsets {
  private readonly brokers: Brokers;
  private readonly batch = new TurnBatch<LeaderQuestion, LeaderAnswer>(
    (asked) => this.askLeaders(asked),
    ({ partitions }) => partitions.length,
  );

  constructor(brokers: Brokers) {
    this.brokers = brokers;
  }

  /** Never rejects. Settles when the leaders of these partitions have answered, whatever others do. */
  ask(question: LeaderQuestion): Promise<LeaderAnswer> {
    return this.batch.ask(question);
  }

  private async askLeaders(asked: readonly Pending<LeaderQuestion, LeaderAnswer>[]): Promise<void> {
    const requests = new Map<string, LeaderRequest>();
    const parts = asked.map(({ item }) => {
      const leaders = leadersOf(item);
      return leaders.map((address) => addQuestion(requests, item, address, leaders.length === 1));
    });
    const outcomes = new Map([...requests.values()].map((request) => [request, this.send(request)]));
    for (const [at, { item, resolve }] of asked.entries()) resolve(answerTo(item, parts[at] ?? [], outcomes));
  }

  private async send(request: LeaderRequest): Promise<Outcome> {
    try {
      const answer = await this.brokers.ask(request.address, (send) => send(listOffsets(request)));
      return new Map(answer.topics.map((topic) => [topic.topic, topic.partitions]));
    } catch (reason) {
      return ScalerError.from(reason);
    }
  }
}

/** Not every leader of the topic: another one may hang, and this question is nothing to it. */
function leadersOf({ partitions, leaders }: LeaderQuestion): string[] {
  const asked: string[] = [];
  for (const partition of partitions) {
    const leader = leaders[partition];
    if (leader !== undefined && leader !== asked.at(-1) && !asked.includes(leader)) asked.push(leader);
  }
  return asked;
}

/** Adds what the question asks of one leader to the request that goes there. `isWhole`: it leads all of the partitions. */
function addQuestion(
  requests: Map<string, LeaderRequest>,
  { topic, partitions, leaders, timestamp, isolationLevel }: LeaderQuestion,
  address: string,
  isWhole: boolean,
): LeaderRequest {
  const key = `${address} ${timestamp} ${isolationLevel}`;
  let request = requests.get(key);
  if (!request) {
    request = { address, topics: new Map(), timestamp, isolationLevel };
    requests.set(key, request);
  }
  const own = isWhole ? partitions : partitions.filter((partition) => leaders[partition] === address);
  const known = request.topics.get(topic);
  if (known === undefined) request.topics.set(topic, own);
  else if (known !== own) request.topics.set(topic, new Set([...known, ...own]));
  return request;
}

async function answerTo(
  { topic, partitions, leaders }: LeaderQuestion,
  requests: readonly LeaderRequest[],
  outcomes: ReadonlyMap<LeaderRequest, Promise<Outcome>>,
): Promise<LeaderAnswer> {
  const values = new Array<number | undefined>(leaders.length).fill(undefined);
  const stale: number[] = [];
  let faults: Map<number, ScalerError> | undefined;
  const lost = new Map<string, ScalerError>();
  for (const request of requests) {
    const outcome = await outcomes.get(request);
    if (outcome instanceof ScalerError) {
      lost.set(request.address, outcome);
      continue;
    }
    await answerTurn();
    for (const { partition, errorCode, offset } of outcome?.get(topic) ?? []) {
      // Without an error, -1 means that the broker knows no offset.
      const isOffset = errorCode === 0 && offset >= 0;
      if (isOffset && partition >= 0 && partition < leaders.length) values[partition] = offset;
      if (errorCode === 0) continue;
      faults ??= new Map();
      faults.set(partition, fromErrorCode(errorCode, 'the partition'));
      if (staleCodes.has(errorCode)) stale.push(partition);
    }
  }
  for (const partition of partitions) {
    if (values[partition] !== undefined || faults?.has(partition) === true) continue;
    const leader = leaders[partition];
    faults ??= new Map();
    faults.set(partition, leader === undefined ? noLeader() : (lost.get(leader) ?? notAnswered()));
  }
  return { values, faults: faults ?? noFaults, stale, lostLeader: lost.size > 0 };
}

function noLeader(): ScalerError {
  return new ScalerError('unavailable', 'the partition has no leader now');
}

function notAnswered(): ScalerError {
  return new ScalerError('unavailable', 'its leader said nothing about the partition');
}

/**
 * Offsets by partition, and why some are not known. A list, not a Map: there are several of these for each of ten
 * thousand subjects at once, nearly all of them of one partition.
 */
export interface Offsets {
  readonly values: readonly (number | undefined)[];
  readonly faults: ReadonlyMap<number, ScalerError>;
}

/** Shared, since nearly every answer has none. */
export const noFaults: Offsets['faults'] = new Map();

/** From where to where a topic's logs reach, or why that is not known. */
export type TopicRange =
  | {
      readonly kind: 'read';
      readonly partitions: readonly number[];
      readonly starts: Offsets;
      readonly ends: Offsets;
    }
  | { readonly kind: 'failed'; readonly error: ScalerError };

export interface TopicRangesOptions {
  topology: Topology;
  leaders: LeaderOffsets;
  starts: LogStarts;
}

/** Reads logs' ends and starts, following leaders that have moved once. */
export class TopicRanges {
  private readonly options: TopicRangesOptions;

  constructor(options: TopicRangesOptions) {
    this.options = options;
  }

  /** @throws ScalerError when nobody can say where the topic is */
  async of(topic: string, isolationLevel: IsolationLevel): Promise<TopicRange> {
    const { topology, leaders } = this.options;
    const layout = await topology.layout(topic);
    if (layout.kind !== 'known') return failed(layout.error);
    const ask = (where: KnownLayout, partitions: readonly number[]) =>
      leaders.ask({ topic, partitions, leaders: where.leaders, timestamp: 'end', isolationLevel });

    const ends = await ask(layout, layout.partitions);
    if (ends.lostLeader || ends.stale.length > 0) topology.forget(topic);
    if (ends.stale.length === 0) return this.finish(topic, layout, ends, isolationLevel);

    const moved = await topology.layout(topic);
    if (moved.kind !== 'known') return failed(moved.error);
    const again = await ask(moved, ends.stale);
    if (again.lostLeader || again.stale.length > 0) topology.forget(topic);
    const still = { ...moved, partitions: common(layout, moved) };
    return this.finish(topic, still, merge(ends, again), isolationLevel);
  }

  /** The high watermarks of some partitions. Never rejects: where one cannot be read, its fault says why. */
  async highWatermarks(topic: string, partitions: readonly number[]): Promise<Offsets> {
    const { topology, leaders } = this.options;
    const layout = await topology.layout(topic);
    const where = layout.kind === 'known' ? layout.leaders : [];
    return leaders.ask({
      topic,
      partitions,
      leaders: where,
      timestamp: 'end',
      isolationLevel: 'readUncommitted',
    });
  }

  private async finish(
    topic: string,
    layout: KnownLayout,
    ends: Offsets,
    isolationLevel: IsolationLevel,
  ): Promise<TopicRange> {
    const starts = await this.options.starts.of(topic, layout, ends.values, isolationLevel);
    return { kind: 'read', partitions: layout.partitions, ends, starts };
  }
}

function failed(error: ScalerError): TopicRange {
  return { kind: 'failed', error };
}

/** A topic that was created again may have other partitions. New ones wait for the next read. */
function common(before: KnownLayout, after: KnownLayout): readonly number[] {
  const still = new Set(after.partitions);
  return before.partitions.filter((partition) => still.has(partition));
}

/** The first answer, with what a second found out about its stale partitions. */
function merge(first: LeaderAnswer, second: LeaderAnswer): Offsets {
  const { length } = first.values.length < second.values.length ? second.values : first.values;
  const values = Array.from(
    { length },
    (_, partition) => second.values[partition] ?? first.values[partition],
  );
  const faults = new Map([...first.faults, ...second.faults]);
  for (const [partition, value] of second.values.entries()) if (value !== undefined) faults.delete(partition);
  return { values, faults };
}

const idleMs = 300_000;
const mostTopics = 100_000;

interface Cached {
  readonly starts: Offsets['values'];
  /** Of the last read at each isolation level. */
  readonly ends: Partial<Record<IsolationLevel, Offsets['values']>>;
  readonly takenAtMs: number;
}

export interface LogStartsOptions {
  leaders: LeaderOffsets;
  reconcileMs: number;
  now: () => number;
}

/**
 * Where logs start. That moves slowly, with retention, so it is kept for one reconcile. An end below its start, or below
 * the end before it, means that the topic was created again; then it is read again at once.
 */
export class LogStarts {
  private readonly options: LogStartsOptions;
  private readonly cache: RecentMap<string, Cached>;

  constructor(options: LogStartsOptions) {
    this.options = options;
    this.cache = new RecentMap({ idleMs, limit: mostTopics, now: options.now });
  }

  /** The starts of the partitions whose ends are given. Never rejects. */
  async of(
    topic: string,
    layout: KnownLayout,
    ends: Offsets['values'],
    isolationLevel: IsolationLevel,
  ): Promise<Offsets> {
    const { leaders, now } = this.options;
    const cached = this.cache.get(topic);
    const current = cached && this.isCurrent(cached) ? cached : undefined;
    const partitions = partitionsWithout(current?.starts ?? [], current?.ends[isolationLevel] ?? [], ends);
    if (current && partitions.length === 0) {
      current.ends[isolationLevel] = ends;
      return { values: current.starts, faults: noFaults };
    }
    const answer = await leaders.ask({
      topic,
      partitions,
      leaders: layout.leaders,
      timestamp: 'logStart',
      isolationLevel: 'readUncommitted',
    });
    const asked = new Set(partitions);
    const starts = layout.leaders.map((_, partition) =>
      asked.has(partition) ? answer.values[partition] : current?.starts[partition],
    );
    const known = { ...current?.ends, [isolationLevel]: ends };
    this.cache.set(topic, { starts, ends: known, takenAtMs: current?.takenAtMs ?? now() });
    return { values: starts, faults: answer.faults };
  }

  /** As with layouts, all starts expire together, so that they are read together. */
  private isCurrent({ takenAtMs }: Cached): boolean {
    const { now, reconcileMs } = this.options;
    return Math.floor(takenAtMs / reconcileMs) === Math.floor(now() / reconcileMs);
  }
}

function partitionsWithout(
  starts: Offsets['values'],
  before: Offsets['values'],
  ends: Offsets['values'],
): number[] {
  const missing: number[] = [];
  for (const [partition, end] of ends.entries()) {
    if (end === undefined) continue;
    const start = starts[partition];
    if (start === undefined || end < start || end < (before[partition] ?? 0)) missing.push(partition);
  }
  return missing;
}
