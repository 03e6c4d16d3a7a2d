import { quote } from '../../../printable.ts';
import type { Around, Reading, Target, TriggerView } from '../../source.ts';
import { type Working, WorkingRows } from '../../working.ts';
import type { SqsConfig } from '../config.ts';
import type { SqsParams } from '../params.ts';
import { burst, type SqsHistory, type SqsSnapshot, settled } from './history.ts';
import { accountOf, endpointOf, isAt, isAws } from './queue.ts';

/** How long after a hint a single read is believed: SQS's counts may be a minute late, and hints later still. */
export const freshHintMs = 300_000;

type View = Pick<
  TriggerView<SqsSnapshot, SqsHistory>,
  'snapshot' | 'history' | 'takenAtMs' | 'lastHintAtMs' | 'wasActive'
>;

/**
 * The trigger's reading of a queue's counts. The number is KEDA's (pkg/scalers/aws_sqs_queue_scaler.go, v2.21).
 * Activity differs, since the counts are approximate:
 *
 * - Messages in flight keep a workload active. They wake one only if the queue was busy within `lingerMs`: SQS shows some
 *   on queues that never had any (KEDA issue 7845).
 * - Without a hint of the last `freshHintMs`, messages wake when two reads a second apart have seen some, or one
 *   has seen `burst`.
 * - A workload is inactive when two reads a second apart say so. KEDA's `cooldownPeriod` is much longer.
 * - After a start, the first read decides as it is: a workload that works must not be called inactive.
 */
export function backlog(params: SqsParams, view: View): Reading {
  const { snapshot } = view;
  const items = count(params, snapshot);
  const { maxConcurrency } = params;
  const active = isActive(params, view, items);
  const because = !active && items > params.activationQueueLength ? { inactiveBecause: unbelieved } : {};
  return {
    kind: 'known',
    items,
    active,
    ...(maxConcurrency !== undefined && { useful: { most: maxConcurrency } }),
    detail: () => ({ ...snapshot, ...because }),
    working: () => workingOf(params, snapshot, because.inactiveBecause),
  };
}

const unbelieved = 'only messages in flight, or seen in one read without a hint';

/** What the HPA aims for; the metric's name comes from the queue. */
export function target({ queueURL, queueLength, activationQueueLength }: SqsParams): Target {
  return { perReplica: queueLength, activation: activationQueueLength, nameParts: [queueURL.name] };
}

/** The flag that adds each of SQS's counts to the sum. Undefined: it always counts. */
const countedBy = { visible: undefined, inFlight: 'scaleOnInFlight', delayed: 'scaleOnDelayed' } as const;
type Count = keyof typeof countedBy;
const all: readonly Count[] = ['visible', 'inFlight', 'delayed'];
/** Of messages that no consumer has received yet. */
const unreceived: readonly Count[] = ['visible', 'delayed'];

function countOf(name: Count, params: SqsParams, counts: SqsSnapshot): number {
  const flag = countedBy[name];
  return flag === undefined || params[flag] ? counts[name] : 0;
}

function count(params: SqsParams, counts: SqsSnapshot): number {
  return all.reduce((sum, name) => sum + countOf(name, params, counts), 0);
}

/** Messages that count and that no consumer has received yet. */
function waiting(params: SqsParams, counts: SqsSnapshot): number {
  return unreceived.reduce((sum, name) => sum + countOf(name, params, counts), 0);
}

const meanings: Readonly<Record<Count, string>> = {
  visible: 'ApproximateNumberOfMessages',
  inFlight: 'ApproximateNumberOfMessagesNotVisible',
  delayed: 'ApproximateNumberOfMessagesDelayed',
};

function workingOf(params: SqsParams, counts: SqsSnapshot, inactiveBecause: string | undefined): Working {
  const rows = new WorkingRows();
  for (const name of all) {
    const flag = countedBy[name];
    const because = flag === undefined ? 'counts' : `${flag} is ${params[flag]}`;
    rows.add({
      name,
      items: countOf(name, params, counts),
      because,
      said: { [meanings[name]]: counts[name] },
    });
  }
  const { maxConcurrency } = params;
  return rows.working('counts', [
    inactiveBecause && `inactive all the same: ${inactiveBecause}`,
    maxConcurrency === undefined
      ? undefined
      : `at most ${maxConcurrency} replicas can have work: maxConcurrency`,
  ]);
}

function isActive(params: SqsParams, view: View, items: number): boolean {
  const { activationQueueLength } = params;
  const enough = items > activationQueueLength;
  switch (view.wasActive) {
    case undefined:
      return enough;
    case true:
      return enough || !settled(view.history, (read) => count(params, read) <= activationQueueLength);
    case false:
      return enough && (areThere(params, view) || areWorkedOn(params, view));
  }
}

function areThere(params: SqsParams, { snapshot, history, takenAtMs, lastHintAtMs }: View): boolean {
  if (waiting(params, snapshot) === 0) return false;
  const hinted = lastHintAtMs !== undefined && takenAtMs - lastHintAtMs <= freshHintMs;
  return hinted || snapshot.visible >= burst || settled(history, (read) => waiting(params, read) > 0);
}

/** Messages in flight of a queue that was busy until now. */
function areWorkedOn(params: SqsParams, { snapshot, history, takenAtMs }: View): boolean {
  return params.scaleOnInFlight && snapshot.inFlight > 0 && history.busyAtMs === takenAtMs;
}

/** A trigger names queues of its connection's endpoint and region: our credentials sign nothing for another host. */
export function conflict({ queueURL }: SqsParams, config: SqsConfig): string | undefined {
  if (isAt(config, queueURL)) return undefined;
  const { region, endpoint } = config;
  const { origin = '', region: given, name } = queueURL;
  if (given !== undefined && endpoint === undefined) {
    return `queueURL: ${quote(name)} is in ${given}, the connection is for ${region}; name the connection of that region`;
  }
  return `queueURL: ${quote(origin)} is not the connection's endpoint (${endpointOf(config)}); requests go nowhere else`;
}

/** A role may read queues of another account where their policies allow it; mostly the connection is the wrong one. */
export function doubts({ queueURL }: SqsParams, { config = {}, others }: Around<SqsConfig>): string[] {
  const [given, roles] = [queueURL.account, accountOf(config.roleArn)];
  if (given === undefined || given === roles || !isAws(config)) return [];
  const theirs = others.filter((one) => accountOf(one.config.roleArn) === given);
  const other = theirs.find((one) => isAt(one.config, queueURL)) ?? theirs[0];
  if (other !== undefined) {
    const whose = `queueURL: is in account ${given}, which is that of connection ${quote(other.name)} by its roleArn`;
    const remedy = isAt(other.config, queueURL)
      ? 'name that connection'
      : `add one like it for ${queueURL.region ?? 'this endpoint'}`;
    return [`${whose}: ${remedy}, unless this one may read the queue`];
  }
  if (roles === undefined) return [];
  return [
    `queueURL: is in account ${given}, and the connection's roleArn is in ${roles}: name the connection of that account, or allow the role in the queue's policy`,
  ];
}
