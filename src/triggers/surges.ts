import { type Demand, replicasFor } from '../scaling/metric.ts';
import { canBeNudged, type Nudge, type Surge } from '../scaling/surge.ts';
import type { SurgeCourse } from './decision.ts';
import { type Followed, type Followers, type Following, follow, nobody, type Spec } from './followers.ts';
import type { Nudged, Nudges } from './nudges.ts';
import type { OtherPods, SurgeNews } from './other-pods.ts';
import type { Reference } from './reference.ts';
import type { Measured } from './resolve.ts';
import type { SurgeState } from './trigger-status.ts';

/** The trigger, as its surges see it. */
export interface Growing {
  readonly id: string;
  readonly label: string;
  readonly reference: Reference;
  /** As it was last resolved, and whether it is refused now. */
  readonly measured: Measured | undefined;
  readonly refusal: Error | undefined;
  /** Whether KEDA follows its activity, and when that began. */
  readonly isPushed: boolean;
  readonly activeSinceMs: number;
  /** What it asks for; undefined where nothing fresh says how much waits. */
  demandAt(nowMs: number): Demand | undefined;
  surged(course: SurgeCourse, nowMs: number, cause: string | undefined): void;
  /** Who followed its spec does so no more. */
  unfollowed(): void;
}

export interface SurgesHost {
  now(): number;
  readonly nudges: Nudges;
  readonly others: OtherPods;
}

/** For so long after a nudge, its pod wants to know of looks: until it would nudge again, and some more. */
const tellLooksMs = 3_000;
/** Readings of two pods of one edge are no further apart. */
const sameEdgeMs = 60_000;
/** KEDA asks for the activity right after the metrics. */
const pairMs = 2_000;

/**
 * The surges of one trigger: what its HPA has seen, here and in other pods, and which target StreamMetricSpec sends. When
 * each nudge goes out is for `Nudges`.
 */
export class Surges implements Nudged, Followed<Spec> {
  hpaReplicas: number | undefined;
  surge: Surge | undefined;
  lastNudgeAtMs: number | undefined;
  followers: Followers<Spec> = nobody;
  private readonly trigger: Growing;
  private readonly host: SurgesHost;
  /**
   * When KEDA has started it, where not by a stream of this pod: another has sent `true`, or a GetMetrics told of replicas.
   * Undefined where nothing says so since the last edge.
   */
  private startedAtMs: number | undefined;
  /** The last GetMetrics that this pod has answered, and whether an IsActive came after it. */
  private lookedAtMs = Number.NEGATIVE_INFINITY;
  private checkedSince = true;
  /** Until when another pod wants to know of each. */
  private tellLooksUntilMs: number | undefined;

  constructor(trigger: Growing, host: SurgesHost) {
    this.trigger = trigger;
    this.host = host;
  }

  get id(): string {
    return this.trigger.id;
  }

  get label(): string {
    return this.trigger.label;
  }

  get namespace(): string {
    return this.trigger.reference.namespace;
  }

  get isFollowed(): boolean {
    return this.followers.length > 0;
  }

  /** `told` hears `spec` at once, and each other target until the returned function is called; see `Followers`. */
  follow(spec: Spec, told: Following<Spec>): () => void {
    const unfollow = follow(this, told);
    told(spec);
    this.host.nudges.followed();
    return unfollow;
  }

  unfollowed(): void {
    this.trigger.unfollowed();
    if (!this.isFollowed) this.host.nudges.lost(this);
  }

  /** There is a new reading, and `true` is out. `edge`: it is the first with work. `cause`: of the wake that led to it. */
  read(nowMs: number, edge: boolean, cause?: string): void {
    const { nudges, others } = this.host;
    if (edge) {
      this.hpaReplicas = 1;
      if (this.trigger.isPushed) nudges.pushed(this.id, this.mayNudge);
      else if (others.areSilent) this.startedAtMs = nowMs;
      else if (this.startedAtMs !== undefined && nowMs - this.startedAtMs >= sameEdgeMs)
        this.startedAtMs = undefined;
    }
    this.grow(nowMs, cause);
  }

  /** A GetMetrics was given this value. */
  looked(value: number): void {
    const { nudges, others } = this.host;
    const nowMs = this.host.now();
    const before = this.hpaReplicas;
    if (!this.checkedSince && nowMs - this.lookedAtMs > pairMs) others.missed();
    this.lookedAtMs = nowMs;
    this.checkedSince = false;
    this.takeLook(value, nowMs);
    const isNews = this.hpaReplicas !== before || nowMs < (this.tellLooksUntilMs ?? 0);
    if (isNews && this.trigger.measured?.surge) nudges.tell({ kind: 'looked', id: this.id, value });
  }

  /** An IsActive was answered. */
  checked(): void {
    this.checkedSince = true;
    if (this.host.now() - this.lookedAtMs > pairMs) this.host.others.missed();
  }

  /** News from another pod. */
  hear(news: SurgeNews): void {
    const nowMs = this.host.now();
    if (news.kind === 'nudged') this.tellLooksUntilMs = nowMs + tellLooksMs;
    else if (news.kind === 'looked') this.takeLook(news.value, nowMs, true);
    else {
      this.host.nudges.pushedElsewhere();
      this.startedAtMs = nowMs;
      this.grow(nowMs);
    }
  }

  private takeLook(value: number, nowMs: number, elsewhere = false): void {
    const { measured } = this.trigger;
    if (!measured) return;
    const demand = { value, perReplica: measured.target.perReplica };
    const replicas = replicasFor(demand);
    if (replicas > 0 && !this.mayNudge) {
      this.startedAtMs = nowMs;
      this.grow(nowMs);
    }
    this.hpaReplicas = replicas;
    if (this.surge) this.host.nudges.looked(this, demand, elsewhere);
  }

  private grow(nowMs: number, cause?: string): void {
    const pushedAtMs = this.trigger.isPushed ? this.trigger.activeSinceMs : this.startedAtMs;
    if (!this.isFollowed || pushedAtMs === undefined) return;
    this.host.nudges.grown(this, { nowMs, pushedAtMs, cause });
  }

  /**
   * Whether KEDA follows its spec here and starts it at an edge, by StreamIsActive here or in another pod. While KEDA waits to
   * open that again, an edge has no first replica, and an HPA of none does not look: nobody would answer, and the cluster would
   * be suspected.
   */
  private get mayNudge(): boolean {
    if (!this.isFollowed) return false;
    return this.trigger.isPushed || this.startedAtMs !== undefined;
  }

  demandNow(nowMs: number): Demand | undefined {
    const { measured, refusal } = this.trigger;
    if (!measured?.surge || refusal || !canBeNudged(measured.target.perReplica)) return undefined;
    return this.trigger.demandAt(nowMs);
  }

  sayTarget(nudge: Nudge): void {
    const { measured } = this.trigger;
    if (!measured) return;
    const { metricName, target } = measured;
    if (nudge !== 0) this.lastNudgeAtMs = this.host.now();
    const spec = nudge === 0 ? measured : { metricName, target, nudge };
    for (const told of this.followers) told(spec);
  }

  surged(course: SurgeCourse, nowMs: number, cause: string | undefined): void {
    this.trigger.surged(course, nowMs, cause);
  }

  stateAt(nowMs: number): SurgeState | undefined {
    const { measured, refusal } = this.trigger;
    if (!measured || refusal) return undefined;
    if (!measured.surge || !canBeNudged(measured.target.perReplica)) return 'off';
    if (!this.mayNudge) return 'no stream';
    return this.host.nudges.stateOf(this, nowMs);
  }
}
