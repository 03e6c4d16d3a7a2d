import { ScalerError } from '../errors.ts';
import type { Trigger } from '../trigger/trigger.ts';
import type { Decided } from './decision.ts';
import { Lease } from './lease.ts';
import { TriggerState } from './trigger-state.ts';

export interface RegisterLimits {
  triggers: number;
  triggersPerNamespace: number;
  leaseSeconds: number;
  coldReadTimeoutMs: number;
}

/** The live triggers, each with its lease, within the limits. */
export class Register {
  limits: RegisterLimits;
  private readonly now: () => number;
  private readonly decided: Decided;
  private readonly states = new Map<string, TriggerState>();
  private readonly perNamespace = new Map<string, number>();
  /** When triggers that have gone were last asked for: else one that is polled less often than its lease lasts would never be known for what it is. */
  private readonly departed = new Map<string, number>();

  constructor(limits: RegisterLimits, now: () => number, decided: Decided) {
    this.limits = limits;
    this.now = now;
    this.decided = decided;
  }

  get(id: string): TriggerState | undefined {
    return this.states.get(id);
  }

  all(): Iterable<TriggerState> {
    return this.states.values();
  }

  /** Throws ScalerError `exhausted` at a limit. */
  add(trigger: Trigger): TriggerState {
    const { namespace } = trigger.reference;
    const { triggers, triggersPerNamespace, leaseSeconds, coldReadTimeoutMs } = this.limits;
    const inNamespace = this.perNamespace.get(namespace) ?? 0;
    if (this.states.size >= triggers) {
      throw new ScalerError('exhausted', `limits.triggers: ${triggers} triggers are live already; raise it`);
    }
    if (inNamespace >= triggersPerNamespace) {
      const limit = `limits.triggersPerNamespace: namespace ${namespace} has ${triggersPerNamespace} live triggers already`;
      throw new ScalerError('exhausted', `${limit}; raise it`);
    }
    const nowMs = this.now();
    const lease = new Lease(leaseSeconds * 1000, nowMs, this.departed.get(trigger.id));
    const state = new TriggerState(trigger, lease, nowMs + coldReadTimeoutMs, this.decided);
    this.departed.delete(trigger.id);
    this.states.set(trigger.id, state);
    this.perNamespace.set(namespace, inNamespace + 1);
    return state;
  }

  /** Removes and gives the triggers whose lease has run out. */
  takeExpired(): TriggerState[] {
    const nowMs = this.now();
    const expired = [...this.states.values()].filter((state) => state.abandoned(nowMs));
    for (const state of expired) this.remove(state);
    return expired;
  }

  private remove({ trigger: { id, reference }, lease }: TriggerState): void {
    this.states.delete(id);
    const left = (this.perNamespace.get(reference.namespace) ?? 1) - 1;
    if (left === 0) this.perNamespace.delete(reference.namespace);
    else this.perNamespace.set(reference.namespace, left);
    this.departed.set(id, lease.lastCalledAtMs);
    for (const oldest of this.departed.keys()) {
      if (this.departed.size <= this.limits.triggers) break;
      this.departed.delete(oldest);
    }
  }
}
