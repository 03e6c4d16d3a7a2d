import type { KafkaParams } from '../../../../../src/sources/kafka/params.ts';
import { lags, type Offsets } from './offsets.ts';

/*
 * This table is the correctness proof of the Kafka backlog. Every rule and every corner has a row that a reader can
 * check by hand. If you find a case that is missing, add it. Threshold 10 and one topic unless a row says otherwise.
 */

export interface Row {
  name: string;
  /** The topic `orders`, or several topics by name. */
  now: Offsets | Readonly<Record<string, Offsets>>;
  params?: Partial<KafkaParams>;
  /** Earlier reads of `orders`, oldest first. */
  seen?: readonly { secondsAgo: number; offsets: Offsets }[];
  value: number;
  active: boolean;
}

const idle = { allowIdleConsumers: true };
const limit = { limitToPartitionsWithLag: true };
const even = { ensureEvenDistributionOfPartitions: true };
const earliest = { offsetResetPolicy: 'earliest' } as const;
const zeroOnInvalid = { scaleToZeroOnInvalidOffset: true };
const persistent = { excludePersistentLag: true };
const everywhere = { topic: [] };
const ten = (lag: number): Offsets => lags(lag, 0, 0, 0, 0, 0, 0, 0, 0, 0);

// biome-ignore format: a table reads best with one row a line
const lag: Row[] = [
  { name: 'no lag', now: lags(0, 0, 0), value: 0, active: false },
  { name: 'one record', now: lags(1, 0, 0), value: 1, active: true },
  { name: 'lag is summed over partitions', now: lags(3, 4, 5), value: 12, active: true },
  { name: 'lag counts from the commit, not from 0', now: [[0, 1000, 993]], value: 7, active: true },
  { name: 'an empty log with a commit', now: [[0, 0, 0]], value: 0, active: false },
  { name: 'a commit that has overtaken the end is no lag', now: [[0, 100, 103]], seen: [{ secondsAgo: 1, offsets: [[0, 98, 96]] }], value: 0, active: false },
  { name: 'a negative partition takes nothing from others', now: [[0, 100, 190], [0, 8, 0]], seen: [{ secondsAgo: 1, offsets: [[0, 98, 96], [0, 8, 0]] }], value: 8, active: true },
  { name: 'deleted records are not lag', now: [[95, 100, 10]], value: 5, active: true },
  { name: 'commit exactly at the log start', now: [[95, 100, 95]], value: 5, active: true },
  { name: 'all that was behind the commit is deleted', now: [[100, 100, 10]], value: 0, active: false },
  { name: 'offsets beyond 2^31', now: [[0, 5_000_000_009, 5_000_000_000]], value: 9, active: true },
];

/** The topic was created again while the group's commit stayed. The first read that finds this does not count. */
const seenBeyond = [{ secondsAgo: 1, offsets: [[0, 20, 100]] as Offsets }];

// biome-ignore format: a table reads best with one row a line
const beyondEnd: Row[] = [
  { name: 'a commit beyond the end, again: earliest counts every record', now: [[0, 23, 100]], seen: seenBeyond, params: { offsetResetPolicy: 'earliest', allowIdleConsumers: true }, value: 23, active: true },
  { name: 'but not the deleted ones', now: [[3, 23, 100]], seen: seenBeyond, params: { offsetResetPolicy: 'earliest', allowIdleConsumers: true }, value: 20, active: true },
  { name: 'latest counts it as 1', now: [[0, 23, 100]], seen: seenBeyond, value: 1, active: true },
  { name: 'scaleToZeroOnInvalidOffset counts it as none', now: [[0, 23, 100]], seen: seenBeyond, params: { scaleToZeroOnInvalidOffset: true }, value: 0, active: false },
  { name: 'also where nothing has moved between the two reads', now: [[0, 20, 100]], seen: seenBeyond, params: { offsetResetPolicy: 'earliest', allowIdleConsumers: true }, value: 20, active: true },
  { name: 'a commit that is back within the log counts again', now: [[0, 23, 21]], seen: [{ secondsAgo: 2, offsets: [[0, 20, 100]] }, ...seenBeyond], value: 2, active: true },
];

// biome-ignore format: a table reads best with one row a line
const cap: Row[] = [
  { name: '(a) 3 partitions, lag 35: KEDA lets 4 replicas through, we 3', now: lags(35, 0, 0), value: 30, active: true },
  { name: '(a) exactly at the cap', now: lags(10, 10, 10), value: 30, active: true },
  { name: '(a) one below the cap', now: lags(29, 0, 0), value: 29, active: true },
  { name: '(a) one above the cap', now: lags(31, 0, 0), value: 30, active: true },
  { name: '(a) far above the cap', now: lags(9000, 9000, 9000), value: 30, active: true },
  { name: '(a) a threshold that is no whole number', now: lags(9, 9), params: { lagThreshold: 2.5 }, value: 5, active: true },
  { name: '(a) a threshold above the lag', now: lags(9, 9), params: { lagThreshold: 100 }, value: 18, active: true },
  { name: 'idle consumers allowed: no cap', now: lags(35, 0, 0), params: idle, value: 35, active: true },
  { name: 'idle consumers allowed: far above', now: lags(9000), params: idle, value: 9000, active: true },
  { name: 'idle consumers allowed, no lag', now: lags(0), params: idle, value: 0, active: false },
  { name: 'the cap is of all topics together', now: { a: lags(50), b: lags(5, 5) }, params: { topic: ['a', 'b'] }, value: 30, active: true },
];

// biome-ignore format: a table reads best with one row a line
const limited: Row[] = [
  { name: 'limit: one lagging partition of three', now: lags(35, 0, 0), params: limit, value: 10, active: true },
  { name: 'limit: two lagging partitions', now: lags(35, 1, 0), params: limit, value: 20, active: true },
  { name: 'limit: all lagging', now: lags(35, 35, 35), params: limit, value: 30, active: true },
  { name: 'limit: lag below the bound stays', now: lags(3, 3, 0), params: limit, value: 6, active: true },
  { name: 'limit: nothing lags', now: lags(0, 0), params: limit, value: 0, active: false },
  { name: 'limit: a partition without a commit lags by one', now: [[0, 9, null], [0, 90, 90]], params: limit, value: 1, active: true },
  { name: 'limit: a negative partition does not lag', now: [[0, 9, 12], [0, 99, 0]], seen: [{ secondsAgo: 1, offsets: [[0, 9, 9], [0, 99, 0]] }], params: limit, value: 10, active: true },
];

// biome-ignore format: a table reads best with one row a line
const evenly: Row[] = [
  { name: '(f) even: lag 0 is 0', now: ten(0), params: even, value: 0, active: false },
  { name: 'even: lag 1 of 10 partitions → 1 replica', now: ten(1), params: even, value: 10, active: true },
  { name: 'even: lag 10 → 1', now: ten(10), params: even, value: 10, active: true },
  { name: 'even: lag 11 → 2', now: ten(11), params: even, value: 20, active: true },
  { name: 'even: lag 20 → 2', now: ten(20), params: even, value: 20, active: true },
  { name: 'even: lag 21 → 5', now: ten(21), params: even, value: 50, active: true },
  { name: 'even: lag 50 → 5', now: ten(50), params: even, value: 50, active: true },
  { name: 'even: lag 51 → 10', now: ten(51), params: even, value: 100, active: true },
  { name: 'even: lag 100 → 10', now: ten(100), params: even, value: 100, active: true },
  { name: 'even: lag 101 → 10', now: ten(101), params: even, value: 100, active: true },
  { name: 'even: a prime number of partitions has nothing between', now: lags(11, 0, 0, 0, 0, 0, 0), params: even, value: 70, active: true },
  { name: 'even: one partition', now: lags(500), params: even, value: 10, active: true },
  { name: 'even caps though idle consumers are allowed', now: ten(9000), params: { ...even, ...idle }, value: 100, active: true },
];

// biome-ignore format: a table reads best with one row a line
const uncommitted: Row[] = [
  { name: '(g) no commit, latest: 1', now: [[0, 500, null]], value: 1, active: true },
  { name: '(g) no commit, latest: 1 for each partition', now: [[0, 5, null], [0, 0, null], [3, 3, null]], value: 3, active: true },
  { name: '(g) no commit, latest, an empty log: still 1, as KEDA', now: [[0, 0, null]], value: 1, active: true },
  { name: '(d) no commit, earliest: the whole log', now: [[0, 7, null]], params: earliest, value: 7, active: true },
  { name: '(d) no commit, earliest: without the deleted records', now: [[93, 100, null]], params: earliest, value: 7, active: true },
  { name: '(d) no commit, earliest, everything deleted', now: [[100, 100, null]], params: earliest, value: 0, active: false },
  { name: 'no commit, latest, scale to zero', now: [[0, 500, null]], params: zeroOnInvalid, value: 0, active: false },
  { name: 'no commit, earliest, scale to zero', now: [[0, 500, null]], params: { ...zeroOnInvalid, ...earliest }, value: 0, active: false },
  { name: 'commits on some partitions only', now: [[0, 500, null], [0, 12, 9]], value: 4, active: true },
  { name: 'scale to zero keeps the committed partitions', now: [[0, 500, null], [0, 12, 9]], params: zeroOnInvalid, value: 3, active: true },
];

// biome-ignore format: a table reads best with one row a line
const activation: Row[] = [
  { name: 'lag at the activation threshold is inactive', now: lags(5), params: { activationLagThreshold: 5 }, value: 5, active: false },
  { name: 'lag one above the activation threshold', now: lags(6), params: { activationLagThreshold: 5 }, value: 6, active: true },
  { name: 'an activation threshold that is no whole number', now: lags(1), params: { activationLagThreshold: 0.5 }, value: 1, active: true },
  { name: 'activation looks at the lag before the cap', now: lags(900), params: { activationLagThreshold: 50 }, value: 10, active: true },
  { name: 'activation looks at the lag before it is made even', now: ten(1), params: { ...even, activationLagThreshold: 5 }, value: 10, active: false },
  { name: 'a partition without a commit activates', now: [[0, 5, null]], value: 1, active: true },
];

const stuck = lags(7, 0);
// biome-ignore format: a table reads best with one row a line
const persistence: Row[] = [
  { name: '(b) lag seen for the first time counts', now: stuck, params: persistent, value: 7, active: true },
  { name: '(b) stuck for 59 s counts', now: stuck, params: persistent, seen: [{ secondsAgo: 59, offsets: stuck }], value: 7, active: true },
  { name: '(b) stuck for 60 s does not, but keeps the workload active', now: stuck, params: persistent, seen: [{ secondsAgo: 60, offsets: stuck }], value: 0, active: true },
  { name: '(b) stuck but not asked to exclude', now: stuck, seen: [{ secondsAgo: 600, offsets: stuck }], value: 7, active: true },
  { name: '(b) persistentLagSeconds 5', now: stuck, params: { ...persistent, persistentLagSeconds: 5 }, seen: [{ secondsAgo: 5, offsets: stuck }], value: 0, active: true },
  { name: '(b) only the stuck partition is left out', now: [[0, 107, 100], [0, 105, 100]], params: persistent, seen: [{ secondsAgo: 90, offsets: [[0, 107, 100], [0, 105, 90]] }], value: 5, active: true },
  { name: '(b) more records on a stuck partition', now: [[0, 900, 100]], params: persistent, seen: [{ secondsAgo: 90, offsets: [[0, 107, 100]] }], value: 0, active: true },
  { name: '(b) a commit starts the clock again', now: [[0, 107, 101]], params: persistent, seen: [{ secondsAgo: 90, offsets: [[0, 107, 100]] }], value: 6, active: true },
  { name: '(b) a commit moved back starts the clock again', now: [[0, 107, 50]], params: persistent, seen: [{ secondsAgo: 90, offsets: [[0, 107, 100]] }], value: 10, active: true },
  { name: '(b) the first record after a quiet night counts', now: [[0, 101, 100]], params: persistent, seen: [{ secondsAgo: 9000, offsets: [[0, 100, 100]] }], value: 1, active: true },
  { name: '(b) lag that retention deleted in between is over', now: [[107, 108, 100]], params: persistent, seen: [{ secondsAgo: 99, offsets: [[0, 107, 100]] }, { secondsAgo: 9, offsets: [[107, 107, 100]] }], value: 1, active: true },
  { name: '(b) a stuck partition is no lagging partition', now: lags(7, 3), params: { ...persistent, ...limit }, seen: [{ secondsAgo: 90, offsets: [[0, 1007, 1000], [0, 1003, 999]] }], value: 3, active: true },
  { name: '(b) persistent lag at the activation threshold', now: stuck, params: { ...persistent, activationLagThreshold: 7 }, seen: [{ secondsAgo: 90, offsets: stuck }], value: 0, active: false },
  { name: '(b) even, and all of it stuck', now: ten(7), params: { ...persistent, ...even }, seen: [{ secondsAgo: 90, offsets: ten(7) }], value: 0, active: true },
  { name: '(c) no commit is never persistent', now: [[0, 500, null]], params: persistent, seen: [{ secondsAgo: 900, offsets: [[0, 500, null]] }], value: 1, active: true },
  { name: '(c) no commit, earliest, is never persistent', now: [[0, 5, null]], params: { ...persistent, ...earliest }, seen: [{ secondsAgo: 900, offsets: [[0, 5, null]] }], value: 5, active: true },
];

// biome-ignore format: a table reads best with one row a line
const topics: Row[] = [
  { name: 'partitionLimitation: one of three', now: lags(3, 4, 5), params: { partitionLimitation: [{ from: 1, to: 1 }] }, value: 4, active: true },
  { name: 'partitionLimitation: the cap is of the limited ones', now: lags(90, 90, 90), params: { partitionLimitation: [{ from: 0, to: 0 }, { from: 2, to: 2 }] }, value: 20, active: true },
  { name: 'partitionLimitation: names more than there are', now: lags(3, 4), params: { partitionLimitation: [{ from: 1, to: 3 }] }, value: 4, active: true },
  { name: 'two topics', now: { a: lags(3), b: lags(4) }, params: { topic: ['a', 'b'] }, value: 7, active: true },
  { name: 'a topic named twice counts once', now: { a: lags(3) }, params: { topic: ['a', 'a'] }, value: 3, active: true },
  { name: 'topics that were read for another trigger do not count', now: { a: lags(3), b: lags(4) }, params: { topic: ['a'] }, value: 3, active: true },
  { name: "no topic: all of the group's topics", now: { a: lags(3), b: lags(4, 1) }, params: everywhere, value: 8, active: true },
  { name: 'no topic: partitionLimitation is ignored, as KEDA', now: lags(3, 4), params: { ...everywhere, partitionLimitation: [{ from: 1, to: 1 }] }, value: 7, active: true },
  { name: 'a pattern: partitionLimitation holds for every topic', now: { 'x-1': lags(1, 2), 'x-2': lags(4, 8) }, params: { topic: [], topicPattern: 'x-*', partitionLimitation: [{ from: 1, to: 1 }] }, value: 10, active: true },
  { name: 'a pattern: a topic without the limited partitions is left out', now: { 'x-1': lags(1), 'x-2': lags(4, 8) }, params: { topic: [], topicPattern: 'x-*', partitionLimitation: [{ from: 1, to: 1 }] }, value: 8, active: true },
];

export const table: readonly Row[] = [
  ...lag,
  ...beyondEnd,
  ...cap,
  ...limited,
  ...evenly,
  ...uncommitted,
  ...activation,
  ...persistence,
  ...topics,
];
