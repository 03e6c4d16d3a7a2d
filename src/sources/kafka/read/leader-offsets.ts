import { ScalerError } from '../../../errors.ts';
import { fromErrorCode } from '../errors.ts';
import { errorCodes, leaderMovedCodes } from '../protocol/error-codes.ts';
import { type ListedOffset, type ListOffsetsOptions, listOffsets } from '../protocol/list-offsets.ts';
import type { IsolationLevel } from '../snapshot.ts';
import type { Brokers } from './brokers.ts';
import type { Offsets } from './offsets.ts';
import { type Asked, TurnBatch } from './turn-batch.ts';

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

/** What a leader says who is none any more, or of a topic that was deleted or made anew. */
const staleCodes: ReadonlySet<number> = new Set([errorCodes.UNKNOWN_TOPIC_OR_PARTITION, ...leaderMovedCodes]);

interface LeaderRequest {
  readonly address: string;
  readonly topics: Map<string, Set<number>>;
  readonly timestamp: ListOffsetsOptions['timestamp'];
  readonly isolationLevel: IsolationLevel;
}

/** What one request came to, by topic. */
type Outcome = ReadonlyMap<string, readonly ListedOffset[]> | ScalerError;

/** Ends and starts of logs: one ListOffsets a leader for all that is asked in one turn of the event loop. */
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

  private async askLeaders(asked: readonly Asked<LeaderQuestion, LeaderAnswer>[]): Promise<void> {
    const requests = new Map<string, LeaderRequest>();
    for (const { item } of asked) addQuestion(requests, item);
    const outcomes = new Map([...requests].map(([key, request]) => [key, this.send(request)]));
    for (const { item, resolve } of asked) resolve(answerTo(item, outcomes));
  }

  private async send({ address, topics, ...options }: LeaderRequest): Promise<Outcome> {
    const partitions = new Map([...topics].map(([topic, numbers]) => [topic, [...numbers]]));
    try {
      const request = listOffsets({ ...options, topics: partitions });
      const answer = await this.brokers.ask(address, (send) => send(request));
      return new Map(answer.topics.map((topic) => [topic.topic, topic.partitions]));
    } catch (reason) {
      return ScalerError.from(reason);
    }
  }
}

function requestKey(leader: string, { timestamp, isolationLevel }: LeaderQuestion): string {
  return `${leader} ${timestamp} ${isolationLevel}`;
}

function addQuestion(requests: Map<string, LeaderRequest>, question: LeaderQuestion): void {
  const { topic, partitions, leaders, timestamp, isolationLevel } = question;
  for (const partition of partitions) {
    const address = leaders[partition];
    if (address === undefined) continue;
    const key = requestKey(address, question);
    let request = requests.get(key);
    if (!request) {
      request = { address, topics: new Map(), timestamp, isolationLevel };
      requests.set(key, request);
    }
    const known = request.topics.get(topic);
    if (known) known.add(partition);
    else request.topics.set(topic, new Set([partition]));
  }
}

async function answerTo(
  question: LeaderQuestion,
  outcomes: ReadonlyMap<string, Promise<Outcome>>,
): Promise<LeaderAnswer> {
  const values = new Map<number, number>();
  const faults = new Map<number, ScalerError>();
  const stale: number[] = [];
  const lost = new Map<string, ScalerError>();
  for (const leader of leadersOf(question)) {
    const outcome = await outcomes.get(requestKey(leader, question));
    if (outcome instanceof ScalerError) lost.set(leader, outcome);
    else for (const listed of outcome?.get(question.topic) ?? []) sort(listed, values, faults, stale);
  }
  for (const partition of question.partitions) {
    if (values.has(partition) || faults.has(partition)) continue;
    const leader = question.leaders[partition];
    faults.set(partition, leader === undefined ? noLeader() : (lost.get(leader) ?? notAnswered()));
  }
  return { values, faults, stale, lostLeader: lost.size > 0 };
}

/** Not every leader of the topic: another one may hang, and this question is nothing to it. */
function leadersOf({ partitions, leaders }: LeaderQuestion): Set<string> {
  const asked = new Set<string>();
  for (const partition of partitions) {
    const leader = leaders[partition];
    if (leader !== undefined) asked.add(leader);
  }
  return asked;
}

function sort(
  { partition, errorCode, offset }: ListedOffset,
  values: Map<number, number>,
  faults: Map<number, ScalerError>,
  stale: number[],
): void {
  if (errorCode === 0) {
    values.set(partition, offset);
    return;
  }
  faults.set(partition, fromErrorCode(errorCode, 'the partition'));
  if (staleCodes.has(errorCode)) stale.push(partition);
}

function noLeader(): ScalerError {
  return new ScalerError('unavailable', 'the partition has no leader now');
}

function notAnswered(): ScalerError {
  return new ScalerError('unavailable', 'its leader said nothing about the partition');
}
