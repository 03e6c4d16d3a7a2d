import type { KedaEvent } from '../fakes/keda/mini-keda.ts';

/** The scaler's answers as KEDA saw them, for the screen and the story. Times are of `performance.now()`. */
export class Observer {
  value: number | undefined;
  peakReplicas = 0;
  /** When the stream sent `true`. */
  readonly pushedAtMs: number[] = [];
  readonly scalings: Extract<KedaEvent, { kind: 'scaled' }>[] = [];
  failures = 0;
  /** Every target of the HPA after its first. */
  readonly targets: number[] = [];

  take(event: KedaEvent): void {
    switch (event.kind) {
      case 'answered':
        this.value = event.value;
        break;
      case 'pushed':
        if (event.active) this.pushedAtMs.push(event.atMs);
        break;
      case 'failed':
        this.failures++;
        break;
      case 'rewritten':
        this.targets.push(event.perReplica);
        break;
      case 'scaled':
        this.scalings.push(event);
        this.peakReplicas = Math.max(this.peakReplicas, event.to);
        break;
      default:
        event satisfies never;
    }
  }

  firstPushSince(sinceMs: number): number | undefined {
    return this.pushedAtMs.find((atMs) => atMs >= sinceMs);
  }

  /** When the workload first got this many replicas. */
  reachedSince(sinceMs: number, replicas: number): number | undefined {
    return this.scalings.find(({ atMs, to }) => atMs >= sinceMs && to >= replicas)?.atMs;
  }
}
