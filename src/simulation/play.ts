import type { ScaledObjectRules } from '../explain/scaling.ts';
import { Drain, type DrainPolicy } from '../scaling/drain.ts';
import { type HpaMemory, sync } from '../scaling/hpa.ts';
import { decide } from '../scaling/keda.ts';
import {
  type Headroom,
  type Metric,
  nudgedTarget,
  replicasFor,
  toMetric,
  withHeadroom,
} from '../scaling/metric.ts';
import { canBeNudged, type Nudge, Surge } from '../scaling/surge.ts';
import type { Load } from './load.ts';
import { Queue } from './queue.ts';

/** A trigger, as far as its numbers go. */
export interface PlayedTrigger {
  /** `external-push`: `true` reaches KEDA at once, else at its next poll. */
  readonly pushed: boolean;
  /** `useCachedMetrics`: the HPA gets the number of the last poll. */
  readonly cached: boolean;
  readonly metricType: 'AverageValue' | 'Value';
  readonly perReplica: number;
  readonly activation: number;
  readonly drain: DrainPolicy | undefined;
  /** Whether the source shows what came and went, as Kafka does. */
  readonly flow: boolean;
  readonly headroom: Headroom;
  readonly surge: boolean;
  readonly maxStalenessSeconds: number;
}

/** What is compared with others. */
export interface Setting {
  readonly name: string;
  readonly rules: ScaledObjectRules;
  readonly trigger: PlayedTrigger;
}

/** What no ScaledObject says. */
export interface Model {
  /** Items a second of one replica. */
  readonly replicaRate: number;
  /** From `spec.replicas` until a pod works. */
  readonly podStartSeconds: number;
  /** `--horizontal-pod-autoscaler-tolerance`, where no `behavior` says another. */
  readonly tolerance: number;
  /** `--horizontal-pod-autoscaler-sync-period`. */
  readonly syncPeriodSeconds: number;
  /** Replicas at the start. Undefined: those of the history, within the limits of each setting. */
  readonly currentReplicas: number | undefined;
}

/** What came of it. Waits are until a replica takes an item. */
export interface Outcome {
  readonly items: number;
  readonly worstWaitSeconds: number;
  readonly p99WaitSeconds: number;
  readonly p50WaitSeconds: number;
  /** Of `spec.replicas`, while the history lasts: pods that start count too. */
  readonly replicaHours: number;
  /** Seconds in which there became more, or fewer, replicas. */
  readonly scaleUps: number;
  readonly scaleDowns: number;
  readonly podStarts: number;
  readonly mostReplicas: number;
  readonly mostBacklog: number;
  /** Items that waited at the end of the history; they are worked off afterwards. */
  readonly leftAtEnd: number;
  /** Of these, what still waited an hour later: the waits are longer than it says. */
  readonly neverTaken: number;
  /** Under `policy: drain`: which part of the items waited longer than `drainSeconds`. */
  readonly lateShare: number | undefined;
  readonly drainSeconds: number | undefined;
  /** The most of each of `seriesLength` equal pieces of the history. */
  readonly series: { readonly oldestWaitSeconds: readonly number[]; readonly replicas: readonly number[] };
}

export const seriesLength = 240;
/** What is left is worked off for so long, without anything new. */
const afterwardsSeconds = 3_600;
/** Nudges follow each other by so much (docs/scaling.md). */
const nudgeMs = 50;

/** Plays a history through a setting, second by second, with the scaler's, KEDA's and the HPA's own rules. Pure. */
export function play({ name: _, ...setting }: Setting, load: Load, model: Model): Outcome {
  const { arrivals, known } = load;
  const player = new Player(setting, load, model);
  const seconds = arrivals.length;
  const wait = new Array<number>(Math.min(seriesLength, seconds)).fill(0);
  const replicas = [...wait];
  let [replicaSeconds, mostBacklog, mostReplicas] = [0, load.backlog, player.replicas];
  for (let second = 0; second < seconds; second += 1) {
    player.play(second, arrivals[second] ?? 0, known[second] === 1);
    replicaSeconds += player.replicas;
    const piece = Math.floor((second * wait.length) / seconds);
    wait[piece] = Math.max(wait[piece] ?? 0, player.queue.oldestSeconds(second));
    replicas[piece] = Math.max(replicas[piece] ?? 0, player.replicas);
    mostBacklog = Math.max(mostBacklog, player.queue.backlog);
    mostReplicas = Math.max(mostReplicas, player.replicas);
  }
  const { scaleUps, scaleDowns, podStarts, queue } = player;
  const leftAtEnd = queue.backlog;
  let second = seconds;
  for (; second < seconds + afterwardsSeconds && queue.backlog > 0; second += 1) player.play(second, 0, true);
  const neverTaken = queue.giveUp(second);
  const { waits } = queue;
  const drainSeconds = setting.trigger.drain?.drainSeconds;
  return {
    items: waits.total,
    worstWaitSeconds: waits.worstSeconds,
    p99WaitSeconds: waits.quantileSeconds(0.99),
    p50WaitSeconds: waits.quantileSeconds(0.5),
    replicaHours: replicaSeconds / 3600,
    scaleUps,
    scaleDowns,
    podStarts,
    mostReplicas,
    mostBacklog,
    leftAtEnd,
    neverTaken,
    drainSeconds,
    lateShare: drainSeconds === undefined ? undefined : waits.partAbove(drainSeconds),
    series: { oldestWaitSeconds: wait, replicas },
  };
}

class Player {
  readonly queue: Queue;
  replicas: number;
  scaleUps = 0;
  scaleDowns = 0;
  podStarts = 0;
  private readonly rules: ScaledObjectRules;
  private readonly trigger: PlayedTrigger;
  private readonly model: Model;
  private readonly drain: Drain | undefined;
  private readonly surge: Surge | undefined;
  private arrived = 0;
  /** Pods that do not work yet, by when they will. */
  private starting: { readonly at: number; count: number }[] = [];
  private ready: number;
  private memory: HpaMemory;
  private lastActiveAtMs: number | undefined;
  private last:
    | { readonly metric: Metric | undefined; readonly active: boolean; readonly at: number }
    | undefined;
  private wasActive: boolean | undefined;
  private activeSinceMs = Number.NEGATIVE_INFINITY;
  /** Replicas for the last answer to KEDA. */
  private told: number;
  /** The number of the last poll. */
  private polled: Metric | undefined;

  constructor({ rules, trigger }: Omit<Setting, 'name'>, load: Load, model: Model) {
    const { minReplicaCount, idleReplicaCount = minReplicaCount } = rules.keda;
    const { maxReplicaCount } = rules.hpa;
    this.rules = rules;
    this.trigger = trigger;
    this.model = model;
    this.queue = new Queue(model.replicaRate);
    this.queue.add(load.backlog, 0);
    this.drain = trigger.drain && new Drain(trigger.drain);
    const isNudged = trigger.pushed && trigger.surge && !trigger.cached && canBeNudged(trigger.perReplica);
    this.surge = isNudged ? new Surge() : undefined;
    const found = model.currentReplicas ?? load.replicas;
    this.replicas =
      found === 0 ? idleReplicaCount : Math.min(maxReplicaCount, Math.max(minReplicaCount, found));
    this.ready = this.replicas;
    this.told = this.replicas;
    this.memory = { recommendations: [{ atMs: 0, replicas: this.replicas }] };
    this.lastActiveAtMs = this.replicas > 0 ? 0 : undefined;
  }

  /** One second. `known`: whether the scaler can read the backlog. */
  play(second: number, arrivals: number, known: boolean): void {
    const { queue, starting, rules, model } = this;
    const before = this.replicas;
    const nowMs = second * 1000;
    this.arrived += arrivals;
    queue.add(arrivals, second);
    if (known) this.read(second);
    // Clocks do not stand in any relation to the history: they begin in the middle of their period.
    const { pollingIntervalSeconds } = rules;
    if (isDue(second, pollingIntervalSeconds)) this.poll(nowMs);
    if (isDue(second, model.syncPeriodSeconds)) this.look(nowMs, 0);
    this.nudge(nowMs);
    while (starting[0] !== undefined && starting[0].at <= second) this.ready += starting.shift()?.count ?? 0;
    queue.serve(this.ready, second, second + 1);
    if (this.replicas > before) this.scaleUps += 1;
    if (this.replicas < before) this.scaleDowns += 1;
  }

  private read(second: number): void {
    const { trigger, queue, arrived, ready, drain } = this;
    const items = queue.backlog;
    const atMs = second * 1000;
    const flow = trigger.flow && {
      arrived,
      consumed: queue.consumed,
      places: 1,
      ...(trigger.drain?.learn && { consumers: ready }),
    };
    const step = drain?.take({ atMs, items, ...flow });
    const active = items > trigger.activation;
    const known = { kind: 'known', items, active, detail: () => ({}) } as const;
    const plain = step ? { value: step.desired, active } : toMetric(known, trigger.perReplica);
    const metric = withHeadroom(plain, trigger.headroom, trigger.perReplica);
    const isEdge = this.wasActive === false && metric.active;
    this.last = { metric: step?.settled === false ? undefined : metric, active: metric.active, at: second };
    this.wasActive = metric.active;
    if (!isEdge) return;
    this.activeSinceMs = atMs;
    this.told = 1;
    // `true` on StreamIsActive: KEDA starts the first replica, and reads no number for it.
    if (trigger.pushed) this.scaleBy({ isActive: true, isError: false }, atMs);
  }

  /** The answer of GetMetrics. Undefined means an error. */
  private answer(nowMs: number): Metric | undefined {
    const { last, trigger } = this;
    return last && nowMs / 1000 - last.at <= trigger.maxStalenessSeconds ? last.metric : undefined;
  }

  private poll(nowMs: number): void {
    const metric = this.answer(nowMs);
    this.polled = metric;
    this.looked(metric, nowMs);
    this.scaleBy({ isActive: metric?.active ?? false, isError: metric === undefined }, nowMs);
  }

  private scaleBy(seen: { isActive: boolean; isError: boolean }, nowMs: number): void {
    const { replicas, lastActiveAtMs } = this;
    const step = decide(this.rules.keda, { replicas, createdAtMs: 0, lastActiveAtMs }, seen, nowMs);
    this.lastActiveAtMs = step.lastActiveAtMs;
    this.scaleTo(step.replicas, nowMs);
  }

  private look(nowMs: number, nudge: Nudge): void {
    const { trigger, replicas, memory, ready: readyReplicas } = this;
    if (replicas === 0) return;
    const metric = trigger.cached ? this.polled : this.answer(nowMs);
    const target = nudgedTarget(trigger, nudge).float;
    const metrics = [{ type: trigger.metricType, value: metric?.value, target }];
    const spec = { ...this.rules.hpa, tolerance: this.model.tolerance, metrics };
    const step = sync(spec, { ...memory, replicas, readyReplicas }, nowMs);
    this.memory = step;
    this.scaleTo(step.replicas, nowMs);
    if (!trigger.cached) this.looked(metric, nowMs);
  }

  private looked(metric: Metric | undefined, nowMs: number): void {
    if (metric === undefined) return;
    const demand = { value: metric.value, perReplica: this.trigger.perReplica };
    this.told = replicasFor(demand);
    this.surge?.looked(demand, nowMs);
  }

  /** The looks of the HPA that a surge brings in this second. */
  private nudge(secondMs: number): void {
    const { surge, trigger } = this;
    const metric = this.answer(secondMs);
    if (!surge || this.replicas === 0) return;
    const demand = metric?.active ? { value: metric.value, perReplica: trigger.perReplica } : undefined;
    if (demand) surge.begin(demand, this.told, secondMs, this.activeSinceMs);
    let nowMs = secondMs;
    while (surge.on) {
      nowMs = Math.max(nowMs, surge.dueAtMs);
      if (nowMs >= secondMs + 1000) return;
      const step = surge.step(demand, nowMs);
      if (step.kind === 'over') return;
      nowMs += nudgeMs;
      this.look(nowMs, step.kind === 'nudge' ? step.nudge : 0);
    }
  }

  private scaleTo(replicas: number, nowMs: number): void {
    let change = replicas - this.replicas;
    this.replicas = replicas;
    if (change > 0) {
      this.podStarts += change;
      const at = Math.floor(nowMs / 1000) + this.model.podStartSeconds;
      this.starting.push({ at, count: change });
    }
    // Pods that are not ready go first, the newest of them (pkg/controller/controller_utils.go, ActivePodsWithRanks).
    for (let newest = this.starting.at(-1); change < 0 && newest; newest = this.starting.at(-1)) {
      const gone = Math.min(-change, newest.count);
      newest.count -= gone;
      change += gone;
      if (newest.count === 0) this.starting.pop();
    }
    if (change < 0) this.ready += change;
  }
}

function isDue(second: number, periodSeconds: number): boolean {
  return second % periodSeconds === Math.floor(periodSeconds / 2);
}
