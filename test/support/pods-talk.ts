import type { NewsLink, SurgeNews } from '../../src/triggers/other-pods.ts';
import type { LiveTriggers } from './live-triggers.ts';

/** News of surges between pods, in the time of the test. Each message arrives after some time, or never. */
export class PodsTalk {
  readonly told: SurgeNews[] = [];
  /** Whether NATS is connected. */
  reachable = true;
  private readonly pods: LiveTriggers[] = [];
  private readonly delayMs: () => number;
  private readonly lost: () => boolean;

  constructor({
    delayMs = () => 1,
    lost = () => false,
  }: { delayMs?: () => number; lost?: () => boolean } = {}) {
    this.delayMs = delayMs;
    this.lost = lost;
  }

  /** Makes a pod, with its link to the others. */
  join(make: (others: NewsLink) => LiveTriggers): LiveTriggers {
    const talk = this;
    const others: NewsLink = {
      get reachable() {
        return talk.reachable;
      },
      tell: (news) => {
        this.told.push(news);
        for (const pod of this.pods) {
          if (pod === self || !this.reachable || this.lost()) continue;
          setTimeout(() => pod.triggers.hear(news), this.delayMs());
        }
      },
    };
    const self = make(others);
    this.pods.push(self);
    return self;
  }
}
