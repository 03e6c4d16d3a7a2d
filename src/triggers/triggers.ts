import { hash } from 'node:crypto';
import { attempt, ScalerError } from '../errors.ts';
import type { AnySource, ConfiguredConnection } from '../sources/source.ts';
import type { Connections } from '../subjects/connections.ts';
import type { Logger } from '../telemetry/log.ts';
import { FewAMinute } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Decided } from './decision.ts';
import { Histories, type HistoryLimits } from './history.ts';
import { Room, type TriggerLimits } from './limits.ts';
import { Nudges, type Pace } from './nudges.ts';
import { type NewsLink, OtherPods, type SurgeNews } from './other-pods.ts';
import { checkReference, kept, type Reference } from './reference.ts';
import { type Measured, readReference, resolve, type Said, type World } from './resolve.ts';
import type { Past } from './trail.ts';
import { Trigger, type TriggerHost } from './trigger.ts';
import type { TriggerStatus, TriggerSummary } from './trigger-status.ts';

/** How often expired triggers are removed. */
export const sweepMs = 5_000;

/** Anyone who reaches the port can cause refusals with texts of their choice. */
const refusalsAMinute = 30;
const refusalCharacters = 2_000;

/** What of a configuration the triggers take. */
export interface TriggersConfig {
  readonly connections: ReadonlyMap<string, ConfiguredConnection>;
  readonly settings: {
    readonly limits: TriggerLimits;
    readonly security: { readonly allowPlaintextSecrets: boolean };
    readonly surge: Pace;
    readonly history: HistoryLimits;
  };
}

export interface TriggersOptions {
  readonly sources: readonly AnySource[];
  readonly connections: Connections;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Whether KEDA's traffic is plaintext. */
  readonly plaintext: boolean;
  readonly decided?: Decided;
  /** Undefined where pods cannot tell each other. */
  readonly pods?: NewsLink | undefined;
}

/** What is kept of one trigger's past; times are in ms since 1970. */
export interface TriggerPast extends Past {
  readonly summary: TriggerSummary;
  readonly nowMs: number;
}

/** All live triggers, by the key of their reference. RPCs are answered from here. */
export class Triggers implements TriggerHost {
  coldReadTimeoutMs = 0;
  readonly decided: Decided;
  readonly nudges: Nudges;
  readonly others: OtherPods;
  readonly histories = new Histories();
  private readonly options: TriggersOptions;
  private readonly connections: Connections;
  private readonly live = new Map<string, Trigger>();
  /** The live ones that were refused from the beginning: only their refusal is kept, no metadata. */
  private readonly refused = new Set<Trigger>();
  private readonly room = new Room();
  /**
   * The last call of each removed trigger. Without it, a trigger whose polls are further apart than its lease would be new at
   * every poll.
   */
  private readonly departed = new Map<string, number>();
  private readonly refusals: FewAMinute;
  private readonly sweeper: NodeJS.Timeout;
  /** Grows with each configuration. A trigger of an older one is resolved again before it answers. */
  private generation = 0;
  private world: World;
  /** From our clock to ms since 1970. */
  private offsetMs = 0;
  private limits: TriggerLimits | undefined;

  constructor(options: TriggersOptions) {
    const { sources, connections, metrics, log, pods, decided = () => {} } = options;
    this.options = options;
    this.connections = connections;
    this.decided = decided;
    this.others = new OtherPods(() => this.now(), pods);
    this.nudges = new Nudges({ now: () => this.now(), log, metrics, others: this.others });
    this.world = { sources, connections: new Map(), maxStalenessSeconds: 0, refuseSecretsFromEnv: true };
    this.refusals = new FewAMinute(refusalsAMinute, () => this.now());
    this.sweeper = setInterval(() => connections.slices.run(this.sweep()), sweepMs);
    metrics.onCollect(() => {
      metrics.triggers.reset();
      let refused = 0;
      for (const { measured, refusal } of this.live.values()) {
        if (refusal) refused += 1;
        else if (measured) metrics.triggers.inc({ source: measured.source.kind });
      }
      metrics.refusedTriggers.set(refused);
      metrics.historyBytes.set(this.histories.bytes);
    });
  }

  /** Monotonic, in ms. */
  now(): number {
    return performance.now();
  }

  edge({ source }: Measured): void {
    this.options.metrics.edges.inc({ source: source.kind });
  }

  /** Cannot fail. Live triggers are resolved again in slices, or at once when called before their turn. */
  prepare({ connections, settings }: TriggersConfig): { commit(): void; discard(): void } {
    const { limits, security, surge, history } = settings;
    const commit = (): void => {
      this.generation += 1;
      this.limits = limits;
      this.coldReadTimeoutMs = limits.coldReadTimeoutMs;
      this.world = {
        sources: this.options.sources,
        connections,
        maxStalenessSeconds: limits.maxStalenessSeconds,
        refuseSecretsFromEnv: this.options.plaintext && !security.allowPlaintextSecrets,
      };
      this.nudges.use(surge);
      this.histories.use(history);
      this.connections.slices.run(this.resolveAll());
    };
    return { commit, discard: () => {} };
  }

  /**
   * The live trigger of a reference, existing or new. Throws ScalerError `invalid` or `denied` with every fault if it is
   * refused, and `exhausted` at a limit.
   */
  trigger(reference: Reference): Trigger {
    const id = idOf(reference);
    let trigger = this.live.get(id);
    if (trigger && this.isOutdated(trigger)) {
      this.remove(trigger);
      trigger = undefined;
    }
    trigger ??= this.add(id, reference);
    this.refresh(trigger);
    trigger.renew();
    if (trigger.refusal) throw trigger.refusal;
    return trigger;
  }

  *statuses(): Iterable<TriggerStatus> {
    for (const trigger of this.all()) yield trigger.status(this.now());
  }

  *summaries(): Iterable<TriggerSummary> {
    for (const trigger of this.all()) yield trigger.summary(this.now());
  }

  /** The live trigger of an ID under the present configuration. Does not renew its lease. */
  byId(id: string): Trigger | undefined {
    const trigger = this.live.get(id);
    if (trigger) this.refresh(trigger);
    return trigger;
  }

  /** News of a surge from another pod. They mean nothing for a trigger that is not live here. */
  hear(news: SurgeNews): void {
    this.others.heard();
    this.live.get(news.id)?.surges.hear(news);
  }

  /** What its reference says; undefined where nothing is kept of that. */
  saidOf(trigger: Trigger): Said | undefined {
    return this.refused.has(trigger) ? undefined : readReference(trigger.reference, this.world);
  }

  /** The last so many ms of a trigger, or everything that is kept. Undefined if there is no such trigger. */
  past(id: string, lastMs = Number.POSITIVE_INFINITY): TriggerPast | undefined {
    const trigger = this.byId(id);
    if (!trigger) return undefined;
    const nowMs = this.now();
    const sinceEpoch = this.offsetAt(nowMs);
    const { points, events } = trigger.past(lastMs, nowMs);
    return {
      summary: trigger.summary(nowMs),
      points: points.map((point) => ({ ...point, atMs: point.atMs + sinceEpoch })),
      events: events.map((event) => ({ ...event, atMs: event.atMs + sinceEpoch })),
      nowMs: nowMs + sinceEpoch,
    };
  }

  /** The same as long as nobody sets the clock, so that a point has the same time whenever it is read. */
  private offsetAt(nowMs: number): number {
    const offsetMs = Math.round(Date.now() - nowMs);
    if (Math.abs(offsetMs - this.offsetMs) > 1_000) this.offsetMs = offsetMs;
    return this.offsetMs;
  }

  private *all(): Iterable<Trigger> {
    for (const trigger of this.live.values()) {
      this.refresh(trigger);
      yield trigger;
    }
  }

  private add(id: string, reference: Reference): Trigger {
    checkReference(reference);
    const measured = attempt(() => resolve(reference, this.world));
    if (measured instanceof ScalerError) return this.addRefused(id, reference, measured);
    const keeping = kept(reference, measured.source);
    if (!this.limits) throw new ScalerError('unavailable', 'the scaler has no configuration yet');
    this.room.admit(keeping, this.limits);
    const trigger = new Trigger(id, keeping, this, this.departed.get(id));
    this.departed.delete(id);
    this.live.set(id, trigger);
    trigger.generation = this.generation;
    trigger.measure(measured);
    this.place(trigger, measured);
    return trigger;
  }

  private addRefused(id: string, { namespace, name }: Reference, refusal: ScalerError): Trigger {
    const trigger = new Trigger(id, { namespace, name, metadata: {} }, this);
    trigger.generation = this.generation;
    this.live.set(id, trigger);
    this.refused.add(trigger);
    this.refuse(trigger, refusal);
    const most = this.limits?.refusedTriggers ?? 0;
    for (const oldest of this.refused) {
      if (this.refused.size <= most || oldest === trigger) break;
      this.remove(oldest);
    }
    return trigger;
  }

  /** Resolves it again where the configuration has changed since. */
  private refresh(trigger: Trigger): void {
    if (trigger.generation === this.generation || this.refused.has(trigger)) return;
    trigger.generation = this.generation;
    const measured = attempt(() => resolve(trigger.reference, this.world));
    if (measured instanceof ScalerError) {
      this.refuse(trigger, measured);
    } else {
      trigger.measure(measured);
      this.place(trigger, measured);
    }
  }

  /** Refused under another configuration. Its metadata is not kept, so it is created again. */
  private isOutdated(trigger: Trigger): boolean {
    return this.refused.has(trigger) && trigger.generation !== this.generation;
  }

  /** Puts a trigger on its subject. */
  private place(trigger: Trigger, { connection, params, drain }: Measured): void {
    const open = this.connections.get(connection.name);
    const ref = open
      ? attempt(() => open.connection.subject(params, { consumers: drain?.learn === true }))
      : new ScalerError('unavailable', `connection ${connection.name} is not open`);
    if (ref instanceof ScalerError) trigger.measurement.lose(ref);
    else if (open) trigger.measurement.join(open.subject(ref), connection.place, ref.need);
  }

  /** Says why, once: for a ScaledObject that is refused from the beginning, KEDA v2.21 shows *no metric specs* alone. */
  private refuse(trigger: Trigger, refusal: ScalerError): void {
    const before = trigger.refusal?.message;
    trigger.refuse(refusal);
    if (refusal.message === before) return;
    const due = this.refusals.due('');
    if (due === undefined) return;
    const { code, message } = refusal;
    const { unsaid } = due;
    this.options.log.warn(
      {
        code,
        error: message.slice(0, refusalCharacters),
        ...(unsaid === undefined ? {} : { alsoRefused: unsaid }),
      },
      'a trigger is refused; logged once for the same metadata',
    );
  }

  private *resolveAll(): Generator<void, void> {
    for (const trigger of this.live.values()) {
      if (this.isOutdated(trigger)) this.remove(trigger);
      else this.refresh(trigger);
      yield;
    }
  }

  private *sweep(): Generator<void, void> {
    const { leaseSeconds = 0, maxLeaseSeconds = 0 } = this.limits ?? {};
    for (const trigger of this.live.values()) {
      if (trigger.abandoned(this.now(), leaseSeconds * 1000, maxLeaseSeconds * 1000)) {
        this.remove(trigger);
      } else {
        // A configuration that came meanwhile may have put its connection somewhere else.
        this.refresh(trigger);
        if (trigger.lost && trigger.measured) this.place(trigger, trigger.measured);
        trigger.grownOlder(this.now());
      }
      yield;
    }
  }

  private remove(trigger: Trigger): void {
    const { id, reference } = trigger;
    this.live.delete(id);
    trigger.end();
    if (this.refused.delete(trigger)) return;
    this.room.leave(reference);
    this.departed.set(id, trigger.askedAtMs);
    for (const oldest of this.departed.keys()) {
      if (this.departed.size <= (this.limits?.triggers ?? 0)) break;
      this.departed.delete(oldest);
    }
  }

  close(): void {
    clearInterval(this.sweeper);
    this.nudges.close();
  }
}

/**
 * The one key of a trigger: a hash of namespace, name and sorted metadata. KEDA sends neither uid nor trigger index,
 * and its metadata is a Go map, which is shuffled at each call.
 */
export function idOf({ namespace, name, metadata }: Reference): string {
  // Lengths keep apart what only looks alike when it is put together.
  let text = `${namespace.length}:${namespace}${name.length}:${name}`;
  for (const key of Object.keys(metadata).sort()) {
    const value = metadata[key] ?? '';
    text += `${key.length}:${key}${value.length}:${value}`;
  }
  return hash('sha256', text, 'base64url');
}
