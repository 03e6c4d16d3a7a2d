import type { DecisionKind } from './decision.ts';

export interface Change {
  readonly kind: DecisionKind;
  /** How long what this ends had lasted, in ms; undefined for what is first known. */
  readonly lastedMs: number | undefined;
}

/**
 * What has been told of one trigger. `active` and `up` (KEDA gets a number) are undefined as long as nothing
 * is known; that a trigger is inactive or up when it is first known is no change.
 */
export class Told {
  private active: boolean | undefined;
  private activeSinceMs = 0;
  private up: boolean | undefined;
  private upSinceMs = 0;

  get upYet(): boolean | undefined {
    return this.up;
  }

  /** Whether there may be something to tell. Asked after each reading of each trigger: it has to cost nothing. */
  differs(active: boolean | undefined, up: boolean | undefined): boolean {
    return active !== this.active || up !== this.up;
  }

  /** What is to be told, in the order of its causes: it recovers and is then active; it is active and then fails. */
  take(active: boolean | undefined, up: boolean | undefined, nowMs: number): readonly Change[] {
    const recovered = this.up === false && up === true;
    const failing = this.up !== false && up === false;
    const ended: Change = {
      kind: recovered ? 'recovered' : 'failing',
      lastedMs: this.up === undefined ? undefined : nowMs - this.upSinceMs,
    };
    if (up !== undefined && up !== this.up) {
      this.up = up;
      this.upSinceMs = nowMs;
    }
    const activity = this.takeActivity(active, nowMs);
    if (recovered) return [ended, ...activity];
    return failing ? [...activity, ended] : activity;
  }

  private takeActivity(active: boolean | undefined, nowMs: number): readonly Change[] {
    if (active === undefined || active === this.active) return [];
    // KEDA gets an error and holds its replicas: that it may scale to zero is told once it gets an answer.
    if (!active && this.up !== true) return [];
    const lastedMs = this.active === undefined ? undefined : nowMs - this.activeSinceMs;
    const first = this.active === undefined;
    this.active = active;
    this.activeSinceMs = nowMs;
    if (active) return [{ kind: 'activated', lastedMs }];
    return first ? [] : [{ kind: 'deactivated', lastedMs }];
  }
}
