import { ScalerError } from '../errors.ts';
import type { Reading, Target } from '../sources/source.ts';

/** What KEDA gets for a trigger: a number, and whether there is work. Both come from one reading. */
export interface Metric {
  readonly value: number;
  readonly active: boolean;
}

/** A number in both of KEDA's fields: `…Float` is exact, the int64 (as decimal text) is its ceiling. */
export interface WireNumber {
  readonly float: number;
  readonly int: string;
}

/** What a trigger asks for now: KEDA's two numbers. */
export interface Demand {
  readonly value: number;
  /** The target. */
  readonly perReplica: number;
}

/**
 * Replicas for that demand, in thousandths as the HPA counts them: a float that is a little more than 3 asks for no fourth.
 * Under `metricType: Value`, by how much the HPA multiplies its ready pods, rounded up.
 */
export function replicasFor({ value, perReplica }: Demand): number {
  return Math.ceil(Math.round(value * 1000) / Math.round(perReplica * 1000));
}

/**
 * What an HPA can count to. From 9.3 · 10¹⁵ on, the thousandths of a value overflow its int64, and it reads 0 or less
 * (Quantity.MilliValue). Before Kubernetes 1.34 it takes 2³¹ replicas and more for less than none
 * (kubernetes/kubernetes#126892). Both would scale the workload down to its minimum.
 */
const hpaMost = { replicas: 2e9, value: 9e15 } as const;

/** A value that the HPA can count with. */
function countable(value: number, perReplica: number): number {
  return Math.min(value, hpaMost.value, hpaMost.replicas * perReplica);
}

/** Replicas that a trigger asks for beyond its backlog, so that some are free when more comes. */
export interface Headroom {
  readonly replicas: number;
  /** Also where nothing waits: the trigger is then active for good. Else only while it is active by itself. */
  readonly whenIdle: boolean;
}

/**
 * The numbers with the headroom in them: what so many replicas are good for, on top. No more than the HPA can count.
 * `perReplica` is the target's.
 */
export function withHeadroom(metric: Metric, { replicas, whenIdle }: Headroom, perReplica: number): Metric {
  const active = metric.active || whenIdle;
  const value = active ? metric.value + replicas * perReplica : metric.value;
  return { value: countable(value, perReplica), active };
}

/**
 * A trigger's numbers under `policy: backlog`: the HPA divides the items by the target itself. They are no more than what
 * the replicas that can have work are good for, or just what an even number of them is.
 */
export function toMetric(
  { items, active, useful }: Extract<Reading, { kind: 'known' }>,
  perReplica: number,
): Metric {
  const counted = finite(items);
  if (useful === undefined) return { value: counted, active };
  const { most, even } = useful;
  const replicas = even ? evenReplicas(most, replicasFor({ value: counted, perReplica })) : most;
  const value = goodFor(replicas, perReplica);
  return { value: even ? value : Math.min(counted, value), active };
}

/** The value that asks for just so many replicas. A product of floats may be a little more, and ask for one too many. */
function goodFor(replicas: number, perReplica: number): number {
  const product = (replicas * Math.round(perReplica * 1000)) / 1000;
  let value = product;
  for (let part = Number.EPSILON; replicasFor({ value, perReplica }) > replicas; part *= 2) {
    value = product * (1 - part);
  }
  return value;
}

/** The least number of replicas that divides `places` and is not less than those wanted; all of `places` where none is. */
export function evenReplicas(places: number, wanted: number): number {
  if (wanted <= 0) return 0;
  for (let replicas = wanted; replicas < places; replicas += 1) if (places % replicas === 0) return replicas;
  return places;
}

/**
 * A metric's value for `GetMetrics`. KEDA takes the float if it is above 0, otherwise the int. KEDA before 2.17
 * knows only the int. So zero means that both are zero, and any work is at least 1 in the int.
 *
 * KEDA prints "%.3f", so that a value under 0.0005 arrives as 0 (pkg/scalers/scaler.go:164, v2.21). It is sent as
 * it is: whether the workload runs is decided by `IsActive`, and so little asks for no second replica.
 */
export function wire(value: number): WireNumber {
  return { float: finite(value), int: ceilToInt64(value) };
}

/** The least by which two targets differ after KEDA's "%.3f", and the least target: the API server refuses 0. */
export const leastStep = 0.001;

/**
 * A target as KEDA and the HPA have it. Replicas are counted by it: by one with more digits, as many as can have work
 * would come out as one more.
 */
export function printedTarget(perReplica: number): number {
  return Math.max(leastStep, Number(perReplica.toFixed(3)));
}

/** A trigger's target for `GetMetricSpec`; never 0 in either field. */
export function wireTarget({ perReplica }: Pick<Target, 'perReplica'>): WireNumber {
  return wire(Math.max(leastStep, finite(perReplica)));
}

/** The target, so many thousandths above the printed one. The int stays: clients that use it know no nudges. */
export function nudgedTarget(target: Pick<Target, 'perReplica'>, thousandths: number): WireNumber {
  const exact = wireTarget(target);
  if (thousandths === 0) return exact;
  const printed = Number(exact.float.toFixed(3));
  return { float: Number((printed + thousandths * leastStep).toFixed(3)), int: exact.int };
}

const maxInt64 = 2n ** 63n - 1n;

/** Through BigInt: a JS number above 1e21 would be printed with an exponent. */
function ceilToInt64(value: number): string {
  const ceiled = BigInt(Math.ceil(value));
  return String(ceiled > maxInt64 ? maxInt64 : ceiled);
}

/** KEDA turns NaN, infinite and negative values into 0, and 0 scales a workload down: better an error. */
function finite(value: number): number {
  if (Number.isFinite(value) && value >= 0) return value;
  throw new ScalerError(
    'internal',
    `a backlog came out as ${value}, which is no number of items; please report this`,
  );
}
