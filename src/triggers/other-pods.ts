import { z } from 'zod';

const id = z.string().max(64);

/** What the pods of a scaler tell each other of a trigger's surge. `id` is equal in all of them. */
export const surgeNews = z.discriminatedUnion('kind', [
  /** `true` was sent at an edge. */
  z.object({ kind: z.literal('pushed'), id }),
  /** Its target was changed: who gets a GetMetrics of it in the next seconds is to tell. */
  z.object({ kind: z.literal('nudged'), id }),
  /** A GetMetrics was given this value. */
  z.object({ kind: z.literal('looked'), id, value: z.number().min(0).max(9e15) }),
]);
export type SurgeNews = z.infer<typeof surgeNews>;

/** How news get to the other pods, and no further. */
export interface NewsLink {
  /** Whether news can go to them now. */
  readonly reachable: boolean;
  /** What is lost costs latency only. */
  tell(news: SurgeNews): void;
}

/** For so long it is remembered that KEDA calls other pods, and when one of them was heard. KEDA polls more often. */
const rememberedMs = 600_000;

/**
 * The other pods of this scaler, as far as one pod knows of them. KEDA's calls go to one pod after the other, so a look at a
 * nudge of this pod may be answered by another.
 */
export class OtherPods {
  private readonly now: () => number;
  private readonly link: NewsLink | undefined;
  private missedAtMs = Number.NEGATIVE_INFINITY;
  private heardAtMs = Number.NEGATIVE_INFINITY;

  /** `now`: monotonic, in ms. `link` is undefined where pods cannot tell each other. */
  constructor(now: () => number, link: NewsLink | undefined) {
    this.now = now;
    this.link = link;
  }

  tell(news: SurgeNews): void {
    this.link?.tell(news);
  }

  /** One of them has told something. */
  heard(): void {
    this.heardAtMs = this.now();
  }

  /**
   * KEDA (2.9 or later) asks for the metrics of a trigger and then at once for its activity. Here it has asked for one of them
   * only.
   */
  missed(): void {
    this.missedAtMs = this.now();
  }

  /** Whether KEDA calls them, as far as is known. */
  get areCalled(): boolean {
    return this.now() - Math.max(this.missedAtMs, this.heardAtMs) < rememberedMs;
  }

  /** Whether they answer looks and do not tell. That no look comes here then means nothing. */
  get areSilent(): boolean {
    const nowMs = this.now();
    if (nowMs - this.missedAtMs >= rememberedMs) return false;
    return !this.link?.reachable || nowMs - this.heardAtMs >= rememberedMs;
  }
}
